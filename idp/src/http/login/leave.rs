//! `/login/cancel` and `/login/continue`: back to the application without signing in, or on without stepping up.

use idp_core::interact::Step;
use idp_core::oauth::error::{ErrorCode, OAuthError};

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;

/// `POST /login/cancel`.
pub async fn cancel(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen(&x, form.one("request")).await?;
    let error = OAuthError::new(ErrorCode::AccessDenied, "login.cancelled", "the user did not sign in");
    Err(Problem::Denied(Box::new(request.to), error))
}

/// `POST /login/continue`: only where the step-up is voluntary.
pub async fn proceed(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let mut request = authorize::reopen(&x, form.one("request")).await?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let client = authorize::client_of(&x, &request).await?;
    let step = authorize::decide(&x, &request, &client, Some(&visitor)).await?;
    if matches!(step, Step::StepUp { voluntary: false, .. }) {
        return Err(Problem::api(403, "step_up_required", "the application insists on this step"));
    }
    request.step_up_declined = true;
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}
