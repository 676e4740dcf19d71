//! Where each passkey of the list lives: what its owner loses with a device.

use idp_softkey::Options;

use crate::factors::by_passkey;
use crate::world::World;

#[tokio::test]
async fn a_passkey_is_shown_with_where_it_lives() {
    let bound = |options: Options| Options { be: false, bs: false, ..options };
    for (options, badge) in [
        (Options::synced(), "Synced"),
        (Options::phone(), "Synced"),
        (Options::platform(), "This device only"),
        (Options { transports: vec!["hybrid".to_owned()], ..bound(Options::phone()) }, "Only on one phone"),
        (Options::security_key(), "Security key"),
    ] {
        let w = World::sqlite().await;
        let mut ann = w.person_with_key("ann", options).await;
        let page = by_passkey(&w, &mut ann).await.get("/account/security").await;
        let badges: Vec<_> =
            page.body.split("<span class=\"badge").skip(1).filter_map(|rest| rest.split(['>', '<']).nth(1)).collect();
        let asks_for_its_pin = page.body.contains("A key that does not know your finger asks for its PIN");
        assert_eq!(asks_for_its_pin, badge == "Security key", "{badge}");
        assert!(badges.contains(&badge), "{badge}: {badges:?}");
    }
}
