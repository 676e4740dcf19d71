//! Every sample of every page: rendered, escaped, well formed, and complete in its words.
//!
//! CSP Level 3 §6.7 (nothing inline), HTML Living Standard §13.1.2 (elements).

use std::collections::BTreeSet;

use super::samples::{MARKUP, sample_frame, sample_letters, sample_pages};
use super::*;

fn views() -> Views {
    Views::new(None).unwrap()
}

fn rendered() -> (Views, Vec<(String, String)>) {
    let views = views();
    let brands = [None, Some("#e03131".to_owned()), Some(MARKUP.to_owned())];
    let mut all = Vec::new();
    for (brand_color, (name, page)) in brands.into_iter().cycle().zip(sample_pages()) {
        let frame = Frame { brand_color, ..sample_frame() };
        let html = views.render(&page, &frame).unwrap_or_else(|e| panic!("{name}: {}", chain(&e)));
        all.push((name, html));
    }
    (views, all)
}

fn letters(views: &Views) -> Vec<(String, Composed)> {
    let render = |(name, letter): (String, LetterView)| {
        let composed = views.letter(&letter, "en").unwrap_or_else(|e| panic!("{name}: {}", chain(&e)));
        (name, composed)
    };
    sample_letters().into_iter().map(render).collect()
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(|e| e.to_string()).collect::<Vec<_>>().join(": ")
}

/// Start tags as (name, attributes), and end tags as (`/name`, ``).
fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with('!') {
            continue;
        }
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        assert!(!name.is_empty(), "a bare `<` before {:?}", &rest[..rest.len().min(40)]);
        rest = &rest[name.len()..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let key: String = rest.chars().take_while(|c| !"= >".contains(*c) && !c.is_whitespace()).collect();
            assert!(!key.is_empty(), "an unfinished tag {name}");
            rest = &rest[key.len()..];
            let value = match rest.strip_prefix("=\"") {
                Some(after) => {
                    let end = after.find('"').expect("an attribute ends");
                    rest = &after[end + 1..];
                    after[..end].to_owned()
                }
                None => String::new(),
            };
            attributes.push((key, value));
        }
        found.push((name, attributes));
    }
    found
}

#[test]
fn lets_no_markup_of_strangers_through() {
    let (_, pages) = rendered();
    let mut hostile = 0;
    for (name, html) in pages {
        assert!(!html.contains("<script>") && !html.contains("<img") && !html.contains("\"'>"), "{name}");
        hostile += usize::from(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;"));
    }
    assert!(hostile >= 15, "only {hostile} samples carry markup");
}

#[test]
fn writes_each_mail_as_text_and_as_html_that_loads_nothing() {
    for (name, Composed { subject, text, html }) in letters(&views()) {
        assert!(!subject.is_empty() && !subject.contains(['\n', '{']), "{name}: {subject}");
        assert!(!text.contains("&quot;") && !text.contains("&#"), "{name}: text is not escaped\n{text}");
        assert!(!text.contains("\n\n\n") && !text.contains(" \n\n"), "{name}: {text}");
        let says =
            if name.contains("-code") && !name.contains("-codes") { "K7QP-2M9X" } else { "When: 15 January 2027" };
        assert!(text.contains(says) && html.contains(says), "{name}: {text}");
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<link"), "{name}: {html}");
        for (tag, attributes) in tags(&html) {
            for (key, value) in attributes.iter().filter(|(key, _)| key == "href" || key.starts_with("on")) {
                let ours = key == "href" && value.starts_with("https://id.northwind.example/account/");
                assert!(tag == "a" && ours && text.contains(value), "{name}: <{tag} {key}={value}>");
            }
        }
    }
}

#[test]
fn puts_no_script_and_no_style_into_a_page() {
    for (name, html) in rendered().1 {
        for (tag, attributes) in tags(&html) {
            assert_ne!(tag, "style", "{name}");
            for (key, value) in &attributes {
                assert!(key != "style" && !key.starts_with("on"), "{name}: <{tag} {key}>");
                // What is loaded comes from here; what is followed may lead elsewhere.
                let loaded = key == "src" || (key == "href" && matches!(tag.as_str(), "link" | "use"));
                // Front-channel logout frames applications, sandboxed, and its policy names their origins.
                let framed = tag == "iframe" && name.starts_with("logout-frames");
                let framed = framed && attributes.iter().any(|(key, _)| key == "sandbox");
                assert!(!loaded || framed || value.starts_with("/assets/"), "{name}: <{tag} {key}={value}>");
            }
            assert!(tag != "script" || attributes.iter().any(|(key, _)| key == "src"), "{name}: an inline script");
        }
    }
}

#[test]
fn nests_elements_and_names_each_id_once() {
    const VOID: [&str; 4] = ["meta", "link", "input", "br"];
    for (name, html) in rendered().1 {
        let (mut open, mut ids, mut h1) = (Vec::new(), BTreeSet::new(), 0);
        for (tag, attributes) in tags(&html) {
            if let Some(ended) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(ended), "{name}");
                continue;
            }
            for (_, id) in attributes.iter().filter(|(key, _)| key == "id") {
                assert!(ids.insert(id.clone()), "{name}: id {id} twice");
            }
            assert!(tag != "form" || !open.contains(&tag), "{name}: a form in a form");
            assert!(tag != "button" || !open.contains(&"a".to_owned()), "{name}: a button in a link");
            h1 += usize::from(tag == "h1");
            if !VOID.contains(&tag.as_str()) {
                open.push(tag);
            }
        }
        assert!(open.is_empty(), "{name}: {open:?} stay open");
        assert_eq!(h1, 1, "{name}: one heading of the first rank");
        for label in html.split("<label for=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.contains(label), "{name}: a label for {label}");
        }
    }
}

#[test]
fn keeps_the_ids_that_machines_rely_on() {
    let (_, pages) = rendered();
    for (page, ids) in [
        ("login", &["username", "login-submit", "login-cancel", "passkey-login"][..]),
        ("login-password", &["username", "password", "login-submit", "login-cancel", "passkey-login"]),
        ("second-factor", &["passkey-login", "login-cancel"]),
        ("step-up", &["passkey-login", "login-cancel", "login-continue"]),
        ("consent", &["consent-allow", "consent-deny"]),
        ("device", &["device-code"]),
        ("device-confirm", &["device-allow", "device-deny"]),
        ("security", &["passkey-create", "passkey-create-phone", "passkey-create-key", "passkey-name"]),
        ("setup-owner", &["setup-username", "setup-email", "setup-submit"]),
        ("setup-pass", &["passkey-create", "password", "setup-submit"]),
        ("logout", &["logout-confirm", "logout-deny"]),
        ("logged-out", &["logged-out"]),
        ("logout-frames", &["go-on"]),
        ("error-not_found", &["error-page"]),
        ("form-post", &["form-post", "form-post-submit"]),
        ("demo-home", &["demo-sign-in"]),
        ("demo-claims", &["demo-step-up", "demo-sign-out", "id-token-claims"]),
    ] {
        let html = &pages.iter().find(|(name, _)| name == page).unwrap().1;
        for id in ids {
            assert!(html.contains(&format!(" id=\"{id}\"")), "{page}: {id}");
        }
    }
}

#[test]
fn carries_the_seal_and_the_csrf_token_in_every_form() {
    for (name, html) in rendered().1 {
        for form in html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
            // The form that carries an answer to an application is none of ours, and that of a typed code only opens a page.
            let ours = form.contains("name=\"csrf\"") || name.starts_with("form-post");
            assert!((form.contains("method=\"post\"") && ours) || name == "setup-code", "{name}");
        }
        let forms = html.matches("action=\"/login").count();
        let sealed = html.matches("name=\"request\"").count();
        assert!(sealed == 0 || sealed >= forms, "{name}: {sealed} seals in {forms} forms");
    }
}

#[test]
fn hides_what_needs_a_passkey_until_a_script_shows_it() {
    for (name, html) in rendered().1 {
        let shown = tags(&html).into_iter().filter(|(_, attributes)| {
            let has = |wanted: &str| attributes.iter().any(|(key, _)| key == wanted);
            has("data-passkey") && !has("hidden")
        });
        assert_eq!(shown.count(), 0, "{name}");
    }
}

#[test]
fn has_each_word_once_and_uses_them_all() {
    let (views, _) = rendered();
    let frame = sample_frame();
    for month in 0..12 {
        let at = 1_767_225_600_000 + month * 31 * 86_400_000;
        let page = Page::DemoClaims(DemoClaims {
            claims_json: String::new(),
            acr: None,
            amr: Vec::new(),
            auth_time: Some(Timestamp::from_ms(at)),
            userinfo: Vec::new(),
            step_up_href: String::new(),
            sign_out_href: String::new(),
        });
        views.render(&page, &frame).unwrap();
    }
    letters(&views);
    let file = DefaultTheme::get("locales/en.ftl").unwrap();
    let text = std::str::from_utf8(&file.data).unwrap();
    let defined: BTreeSet<_> = text
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split(" =").next().map(str::to_owned))
        .collect();
    let seen = views.words.seen.lock().unwrap().clone();
    let unused: Vec<_> = defined.difference(&seen).collect();
    assert!(unused.is_empty(), "defined and never shown: {unused:?}");
    assert_eq!(seen.difference(&defined).count(), 0);
}

#[test]
fn leaves_no_words_in_templates() {
    for path in DefaultTheme::iter().filter(|path| path.ends_with(".html") || path.starts_with("mail/")) {
        let file = DefaultTheme::get(&path).unwrap();
        let mut text = String::from_utf8_lossy(&file.data).into_owned();
        for (start, end) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<", ">")] {
            while let Some(from) = text.find(start) {
                let to = from + text[from..].find(end).unwrap() + end.len();
                text.replace_range(from..to, " ");
            }
        }
        assert!(!text.contains(char::is_alphanumeric), "{path}: {:?}", text.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn names_a_missing_word_and_a_missing_argument() {
    let views = views();
    let none = || std::iter::empty();
    assert!(views.words.say("en", "no-such-word", none()).unwrap_err().contains("no-such-word"));
    assert!(views.words.say("en", "login-to", none()).unwrap_err().contains("login-to"));
    assert_eq!(views.words.say("tlh", "sign-in", none()).unwrap(), "Sign in");
    assert_eq!(views.words.lang("tlh"), "en");
}

#[test]
fn lets_a_folder_replace_a_single_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("parts")).unwrap();
    std::fs::write(folder.path().join("parts/parties.html"), "<hr class=\"ours\">").unwrap();
    let views = Views::new(Some(folder.path().into())).unwrap();
    let (_, page) = sample_pages().into_iter().next().unwrap();
    let html = views.render(&page, &sample_frame()).unwrap();
    assert!(html.contains("<hr class=\"ours\">") && html.contains("id=\"login-submit\""));
    std::fs::write(folder.path().join("login.html"), "{% if").unwrap();
    assert!(Views::new(Some(folder.path().into())).is_err());
    assert!(Views::new(Some(folder.path().join("absent"))).is_err());
}

#[test]
fn serves_assets_by_name_and_version_and_nothing_else() {
    let views = views();
    let css = views.asset("idp.css").unwrap();
    assert_eq!(css.content_type, "text/css; charset=utf-8");
    let shared = views.asset("passkey.js").unwrap();
    let login = views.asset("login.js").unwrap();
    assert!(String::from_utf8_lossy(&login.bytes).contains(&format!("./passkey.js?v={}", shared.version)));
    let causes = views.asset("causes.js").unwrap();
    assert!(String::from_utf8_lossy(&shared.bytes).contains(&format!("./causes.js?v={}", causes.version)));
    let brand = views.asset("brand/e03131.css").unwrap();
    assert!(brand.bytes.starts_with(b":root{--brand:#e03131;"));
    for absent in ["", "../locales/en.ftl", "login.html", "brand/red.css", "brand/../idp.css", "brand/e03131}.css"] {
        assert_eq!(views.asset(absent), None, "{absent}");
    }
}

#[test]
fn follows_web_addresses_only() {
    assert!(WebUrl::parse("https://northwind.example/privacy").is_some());
    for bad in ["javascript:alert(1)", "data:text/html,x", "/privacy", "ftp://northwind.example", ""] {
        assert_eq!(WebUrl::parse(bad), None, "{bad}");
    }
}

#[test]
fn takes_initials_from_the_first_and_the_last_word() {
    for (name, initial) in
        [("Ada Lovelace", "AL"), ("ada", "A"), ("Jean de La Fontaine", "JF"), ("<script>", "S"), ("…", "?")]
    {
        assert_eq!(initials(name), initial);
    }
}
