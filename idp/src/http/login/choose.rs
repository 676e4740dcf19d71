//! `/login/choose` and `/login/select`: the account chooser (`prompt=select_account`, "not you?").

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{Choose, Page, Person};

/// `GET /login/choose`.
pub async fn get(mut x: Exchange) -> Outcome {
    let request = authorize::reopen(&x, x.query().one("request")).await?;
    let sealed = authorize::seal(&x, &request)?;
    let switch_href = format!("/login?switch=1&request={sealed}");
    let Some(visitor) = x.visitor().await? else { return x.go(&switch_href) };
    let client = authorize::client_of(&x, &request).await?;
    let page = Choose {
        csrf: x.csrf(),
        request: sealed,
        application: Some(authorize::application_of(&client, &request)),
        person: Person::new(&visitor.account.username, visitor.account.profile.name.as_deref()),
        switch_href,
    };
    x.page(&Page::Choose(page))
}

/// `POST /login/select`: goes on as the account that is signed in.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let mut request = authorize::reopen(&x, form.one("request")).await?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    request.selected = Some(visitor.account.id);
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}
