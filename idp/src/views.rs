//! The pages: typed contexts in, HTML out; templates, words and assets of a theme. The only place that knows tera.
//!
//! WCAG 2.2 AA; `default-src 'self'` (CSP Level 3): nothing here may write a script or a style into a page.

pub mod assets;
pub mod brand;
pub mod letters;
pub mod logout;
pub mod pages;
pub mod samples;
pub mod times;
pub mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use idp_core::time::Timestamp;
use serde::Serialize;
use tera::{Context, Kwargs, State, Tera};

pub use assets::Asset;
use assets::Assets;
pub use letters::{Composed, LetterView};
pub use logout::*;
pub use pages::*;
use words::Words;

/// The theme built into the binary.
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../themes/default"]
struct DefaultTheme;

/// Why a theme could not be loaded or a page not be rendered. Always a defect of the theme or of ours.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("a template is faulty")]
    Template(#[from] tera::Error),
    #[error("{file}: {fault}")]
    Words { file: String, fault: String },
    #[error("{}: cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
}

/// What every page is given besides its own context; a template sees it as `frame.…`.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    pub realm_name: String,
    /// `#rrggbb`; anything else counts as none.
    pub brand_color: Option<String>,
    /// A language of the theme; others fall back to English.
    pub lang: String,
    pub request_id: String,
    /// User name of the session, if there is one.
    pub signed_in_as: Option<String>,
    pub help: Option<WebUrl>,
    pub privacy: Option<WebUrl>,
    /// What "2 hours ago" is counted from.
    pub now: Timestamp,
}

/// A page with its context.
#[derive(Clone, Debug)]
pub enum Page {
    Login(Login),
    SecondFactor(SecondFactor),
    Away(Away),
    Enrol(Enrol),
    Choose(Choose),
    Consent(Consent),
    Device(Device),
    DeviceConfirm(DeviceConfirm),
    Security(Box<Security>),
    Sessions(Sessions),
    Applications(Applications),
    Activity(Activity),
    RemovePasskey(RemovePasskey),
    Setup(Setup),
    SetupCode(SetupCode),
    TotpLogin(TotpLogin),
    Recovery(Recovery),
    RecoveryCancel(RecoveryCancel),
    PasswordForm(PasswordForm),
    TotpForm(TotpForm),
    RecoveryCodes(RecoveryCodes),
    SignUp(SignUp),
    Profile(Box<Profile>),
    Message(Message),
    LogoutConfirm(LogoutConfirm),
    LoggedOut(LoggedOut),
    LogoutFrames(LogoutFrames),
    GoOn(GoOn),
    FormPost(FormPost),
    Error(ErrorPage),
    DemoHome(DemoHome),
    DemoClaims(DemoClaims),
    DemoError(DemoError),
}

impl Page {
    /// The file of the theme that renders it.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Login(_) => "login.html",
            Self::SecondFactor(_) => "second-factor.html",
            Self::Away(_) => "away.html",
            Self::Enrol(_) => "enrol.html",
            Self::Choose(_) => "choose.html",
            Self::Consent(_) => "consent.html",
            Self::Device(_) => "device.html",
            Self::DeviceConfirm(_) => "device-confirm.html",
            Self::Security(_) => "security.html",
            Self::Sessions(_) => "sessions.html",
            Self::Applications(_) => "applications.html",
            Self::Activity(_) => "activity.html",
            Self::RemovePasskey(_) => "remove-passkey.html",
            Self::Setup(_) => "setup.html",
            Self::SetupCode(_) => "setup-code.html",
            Self::TotpLogin(_) => "totp-login.html",
            Self::Recovery(_) => "recovery.html",
            Self::RecoveryCancel(_) => "recovery-cancel.html",
            Self::PasswordForm(_) => "password.html",
            Self::TotpForm(_) => "totp.html",
            Self::RecoveryCodes(_) => "recovery-codes.html",
            Self::SignUp(_) => "sign-up.html",
            Self::Profile(_) => "profile.html",
            Self::Message(_) => "message.html",
            Self::LogoutConfirm(_) => "logout-confirm.html",
            Self::LoggedOut(_) => "logged-out.html",
            Self::LogoutFrames(_) => "logout-frames.html",
            Self::GoOn(_) => "go-on.html",
            Self::FormPost(_) => "form-post.html",
            Self::Error(_) => "error.html",
            Self::DemoHome(_) => "demo/home.html",
            Self::DemoClaims(_) => "demo/claims.html",
            Self::DemoError(_) => "demo/error.html",
        }
    }

    fn value(&self) -> Result<tera::Value, tera::Error> {
        match self {
            Self::Login(page) => tera::Value::try_from_serializable(page),
            Self::SecondFactor(page) => tera::Value::try_from_serializable(page),
            Self::Away(page) => tera::Value::try_from_serializable(page),
            Self::Enrol(page) => tera::Value::try_from_serializable(page),
            Self::Choose(page) => tera::Value::try_from_serializable(page),
            Self::Consent(page) => tera::Value::try_from_serializable(page),
            Self::Device(page) => tera::Value::try_from_serializable(page),
            Self::DeviceConfirm(page) => tera::Value::try_from_serializable(page),
            Self::Security(page) => tera::Value::try_from_serializable(page),
            Self::Sessions(page) => tera::Value::try_from_serializable(page),
            Self::Applications(page) => tera::Value::try_from_serializable(page),
            Self::Activity(page) => tera::Value::try_from_serializable(page),
            Self::RemovePasskey(page) => tera::Value::try_from_serializable(page),
            Self::Setup(page) => tera::Value::try_from_serializable(page),
            Self::SetupCode(page) => tera::Value::try_from_serializable(page),
            Self::TotpLogin(page) => tera::Value::try_from_serializable(page),
            Self::Recovery(page) => tera::Value::try_from_serializable(page),
            Self::RecoveryCancel(page) => tera::Value::try_from_serializable(page),
            Self::PasswordForm(page) => tera::Value::try_from_serializable(page),
            Self::TotpForm(page) => tera::Value::try_from_serializable(page),
            Self::RecoveryCodes(page) => tera::Value::try_from_serializable(page),
            Self::SignUp(page) => tera::Value::try_from_serializable(page),
            Self::Profile(page) => tera::Value::try_from_serializable(page),
            Self::Message(page) => tera::Value::try_from_serializable(page),
            Self::LogoutConfirm(page) => tera::Value::try_from_serializable(page),
            Self::LoggedOut(page) => tera::Value::try_from_serializable(page),
            Self::LogoutFrames(page) => tera::Value::try_from_serializable(page),
            Self::GoOn(page) => tera::Value::try_from_serializable(page),
            Self::FormPost(page) => tera::Value::try_from_serializable(page),
            Self::Error(page) => tera::Value::try_from_serializable(page),
            Self::DemoHome(page) => tera::Value::try_from_serializable(page),
            Self::DemoClaims(page) => tera::Value::try_from_serializable(page),
            Self::DemoError(page) => tera::Value::try_from_serializable(page),
        }
    }
}

/// A loaded theme. Cheap to share, immutable.
#[derive(Debug)]
pub struct Views {
    tera: Tera,
    words: Arc<Words>,
    assets: Arc<Assets>,
}

impl Views {
    /// Loads the built-in theme; a file in `theme_dir` with the same path takes the place of the built-in one.
    ///
    /// # Errors
    /// A directory that cannot be read, a template or a Fluent file that does not parse: at start, not at the first
    /// page.
    pub fn new(theme_dir: Option<PathBuf>) -> Result<Self, ViewError> {
        let files = theme_files(theme_dir.as_deref())?;
        let words = Arc::new(Words::new(&files)?);
        let assets = Arc::new(Assets::new(&files));
        let mut tera = Tera::new();
        register_functions(&mut tera, &words, &assets);
        let is_template = |path: &str| path.ends_with(".html") || path.starts_with("mail/");
        let templates = files.iter().filter(|(path, _)| is_template(path));
        tera.add_raw_templates(
            templates.map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned())),
        )?;
        Ok(Self { tera, words, assets })
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// A template that uses what its page does not have, or a word that is missing.
    pub fn render(&self, page: &Page, frame: &Frame) -> Result<String, ViewError> {
        let mut context = Context::new();
        let brand = frame.brand_color.as_deref().and_then(brand::parse);
        context.insert_value("page", page.value()?);
        context.insert_value("frame", tera::Value::try_from_serializable(frame)?);
        context.insert("lang", self.words.lang(&frame.lang));
        context.insert("brand_href", &brand.map(|rgb| format!("/assets/{}", brand::path(rgb))));
        Ok(self.tera.render(page.template(), &context)?)
    }

    /// A file under `/assets/`, also the stylesheet of a brand (`brand/rrggbb.css`).
    pub fn asset(&self, path: &str) -> Option<Asset> {
        self.assets.find(path)
    }

    /// The paths of all assets, without the stylesheets of brands.
    pub fn asset_paths(&self) -> impl Iterator<Item = &str> {
        self.assets.paths()
    }
}

fn register_functions(tera: &mut Tera, words: &Arc<Words>, assets: &Arc<Assets>) {
    let all = words.clone();
    tera.register_function("t", move |args: Kwargs, state: &State<'_>| -> Result<String, tera::Error> {
        let lang = state.get::<String>("lang")?.unwrap_or_default();
        let key = args.must_get::<&str>("key")?;
        let rest = args.iter().filter_map(|(name, value)| Some((name.as_str()?, value)));
        all.say(&lang, key, rest.filter(|(name, _)| *name != "key")).map_err(tera::Error::message)
    });
    let all = words.clone();
    tera.register_function("ago", move |args: Kwargs, state: &State<'_>| -> Result<String, tera::Error> {
        let lang = state.get::<String>("lang")?.unwrap_or_default();
        let (unit, n) = times::ago(args.must_get::<i64>("at")?, args.must_get::<i64>("now")?);
        let n = tera::Value::from(n);
        all.say(&lang, &format!("time-{unit}"), [("n", &n)].into_iter()).map_err(tera::Error::message)
    });
    tera.register_function("iso", |args: Kwargs, _: &State<'_>| -> Result<String, tera::Error> {
        Ok(times::iso(args.must_get::<i64>("at")?))
    });
    let all = words.clone();
    tera.register_function("exact", move |args: Kwargs, state: &State<'_>| -> Result<String, tera::Error> {
        let lang = state.get::<String>("lang")?.unwrap_or_default();
        let at = times::Civil::of(args.must_get::<i64>("at")?);
        let month = tera::Value::from(
            all.say(&lang, &format!("month-{}", at.month), std::iter::empty()).map_err(tera::Error::message)?,
        );
        let (day, year, clock) =
            (tera::Value::from(at.day), tera::Value::from(at.year.to_string()), tera::Value::from(at.clock()));
        let parts = [("day", &day), ("month", &month), ("year", &year), ("clock", &clock)];
        all.say(&lang, "time-exact", parts.into_iter()).map_err(tera::Error::message)
    });
    let assets = assets.clone();
    tera.register_function("asset", move |args: Kwargs, _: &State<'_>| -> Result<String, tera::Error> {
        let path = args.must_get::<&str>("path")?;
        assets.href(path).ok_or_else(|| tera::Error::message(format!("the theme has no assets/{path}")))
    });
}

/// Every file of the theme by its path, the directory's over the built-in ones.
fn theme_files(dir: Option<&Path>) -> Result<BTreeMap<String, Cow<'static, [u8]>>, ViewError> {
    let mut files: BTreeMap<_, _> = DefaultTheme::iter()
        .filter_map(|path| DefaultTheme::get(&path).map(|file| (path.into_owned(), file.data)))
        .collect();
    let mut open: Vec<PathBuf> = dir.map(Path::to_path_buf).into_iter().collect();
    while let Some(at) = open.pop() {
        let failed = |source| ViewError::Read { path: at.clone(), source };
        for entry in std::fs::read_dir(&at).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|source| ViewError::Read { path: path.clone(), source })?;
            let inner = dir.and_then(|dir| path.strip_prefix(dir).ok()).unwrap_or(&path);
            files.insert(inner.to_string_lossy().replace('\\', "/"), Cow::Owned(bytes));
        }
    }
    Ok(files)
}
