//! `/signup`: a form made of the realm's schema, then a passkey; nothing is written before the passkey is there.
//! NIST SP 800-63A-4 §2.

pub mod newcomer;

use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::oauth::params::RawParams;
use idp_core::sign_up::{USERNAME, asks_username};
use idp_core::user_schema::{self, Shown};
use serde_json::{Map, Value};

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{self, Page, Person, SignUpStep};

/// `GET /signup`.
pub async fn get(x: Exchange) -> Outcome {
    newcomer::possible_here(&x)?;
    let request = authorize::reopen_some(&x, x.query().one("request")).await?;
    let email = request.as_ref().and_then(|r| r.login_hint.clone()).filter(|hint| hint.contains('@'));
    let mut document = Map::new();
    if let (Some(email), Some(part)) = (email, x.realm.settings.schema().email()) {
        user_schema::put(&mut document, &part.path, Some(email.into()));
    }
    show(x, Typed { request, username: String::new(), document }, SignUpStep::Details, &[]).await
}

/// `POST /signup`: what was typed is checked; good, the passkey is next.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let typed = read(&x, &form).await?;
    if form.one("change").is_some() {
        newcomer::possible_here(&x)?;
        return show(x, typed, SignUpStep::Details, &[]).await;
    }
    newcomer::admit(&x)?;
    match newcomer::check(&x, Some(&typed.username), typed.document.clone()).await {
        Ok(newcomer) => {
            let typed = Typed { username: newcomer.username, ..typed };
            show(x, typed, SignUpStep::Passkey, &[]).await
        }
        Err(Problem::Traits(problems)) => show(x, typed, SignUpStep::Details, &problems).await,
        Err(other) => Err(other),
    }
}

/// What somebody typed.
struct Typed {
    request: Option<AuthorizationRequest>,
    username: String,
    document: Map<String, Value>,
}

async fn read(x: &Exchange, form: &RawParams) -> Result<Typed, Problem> {
    let request = authorize::reopen_some(x, form.one("request")).await?;
    let mut document = Map::new();
    x.realm.settings.schema().fill(&mut document, |name| form.one(name));
    let username = form.one("username").filter(|_| asks_username(&x.realm.settings)).unwrap_or_default();
    Ok(Typed { request, username: username.trim().chars().take(254).collect(), document })
}

async fn show(mut x: Exchange, typed: Typed, step: SignUpStep, problems: &[user_schema::Problem]) -> Outcome {
    let (application, sealed) = match &typed.request {
        None => (None, None),
        Some(request) => {
            let client = authorize::client_of(&x, request).await?;
            (Some(authorize::application_of(&client, request)), Some(authorize::seal(&x, request)?))
        }
    };
    let settings = &x.realm.settings;
    let fields = settings.schema().fields(&Shown { document: &typed.document, problems, editable: true });
    let asks_username = asks_username(settings);
    // What no input shows is told at the top: of all traits, of one without an input, of a name that is not asked.
    let shown = |problem: &user_schema::Problem| {
        let input = |path: &[String]| settings.schema().traits().iter().any(|part| part.path == path);
        input(&problem.path) || (asks_username && problem.path == [USERNAME])
    };
    let problem = problems.iter().find(|problem| !shown(problem)).map(ToString::to_string);
    let of_name = problems.iter().find(|p| p.path == [USERNAME]).filter(|_| asks_username);
    let username_problem = of_name.map(user_schema::Problem::sentence);
    let detail = typed.document.get("name").and_then(Value::as_str);
    let page = views::SignUp {
        login_href: match &sealed {
            Some(sealed) => format!("/login?switch=1&request={sealed}"),
            None => "/login?switch=1".to_owned(),
        },
        traits: Value::Object(typed.document.clone()).to_string(),
        person: Person::new(&typed.username, detail),
        csrf: x.csrf(),
        request: sealed,
        application,
        step,
        asks_username,
        username: typed.username,
        username_problem,
        fields,
        problem,
        rp_host: x.rp.rp_id.clone(),
    };
    x.page_with(if problems.is_empty() { 200 } else { 422 }, &Page::SignUp(page), None)
}
