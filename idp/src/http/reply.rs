//! How an exchange answers: with its cookies, for its method.

use idp_core::oauth::authorize::respond::Answer;
use idp_core::oidc::frontchannel::LogoutFrame;
use poem::Response;
use poem::http::StatusCode;
use poem::http::header::{self, HeaderValue};
use serde_json::Value;

use super::answer;
use super::exchange::{Exchange, Outcome};
use super::problem::Problem;
use crate::views::{Application, Page};

impl Exchange {
    pub(super) fn recipient(&self, signed_in_as: Option<String>) -> answer::Recipient<'_> {
        answer::Recipient {
            app: &self.app,
            realm: &self.realm,
            method: &self.method,
            request_id: &self.request_id,
            signed_in_as,
            now: self.now,
        }
    }

    /// Answers with a page.
    ///
    /// # Errors
    /// Only for a faulty theme.
    pub fn page(self, content: &Page) -> Outcome {
        self.page_for(content, None)
    }

    /// Answers with a page of somebody signed in.
    ///
    /// # Errors
    /// Only for a faulty theme.
    pub fn page_for(self, content: &Page, signed_in_as: Option<String>) -> Outcome {
        let response = answer::page(&self.recipient(signed_in_as), content).map_err(Problem::internal)?;
        Ok(self.with_cookies(response))
    }

    /// Answers with a page that is no plain success: a form that comes back with a reason.
    ///
    /// # Errors
    /// Only for a faulty theme.
    pub fn page_with(self, status: u16, content: &Page, signed_in_as: Option<String>) -> Outcome {
        let mut response = self.page_for(content, signed_in_as)?;
        response.set_status(StatusCode::from_u16(status).map_err(Problem::internal)?);
        Ok(response)
    }

    /// Sends the browser on.
    pub fn go(self, url: &str) -> Outcome {
        let response = answer::go(&self.recipient(None), url, None);
        Ok(self.with_cookies(response))
    }

    /// Sends the browser back to a client.
    ///
    /// # Errors
    /// Only for a faulty theme.
    pub fn back(self, to_client: Answer) -> Outcome {
        let response = answer::back(&self.recipient(None), to_client).map_err(Problem::internal)?;
        Ok(self.with_cookies(response))
    }

    /// Has clients told by frames and sends the browser on.
    ///
    /// # Errors
    /// Only for a faulty theme.
    pub fn frames(self, frames: Vec<LogoutFrame>, href: String, application: Option<Application>) -> Outcome {
        let to = self.recipient(None);
        let response = answer::frames(&to, frames, href, application).map_err(Problem::internal)?;
        Ok(self.with_cookies(response))
    }

    /// Answers with JSON.
    pub fn reply(self, status: u16, body: &Value) -> Outcome {
        let response = answer::json(status, body);
        Ok(self.with_cookies(response))
    }

    fn with_cookies(self, mut response: Response) -> Response {
        for cookie in &self.cookies {
            if let Ok(value) = HeaderValue::from_str(cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }
}
