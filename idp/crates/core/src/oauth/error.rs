//! OAuth errors: one type for what a client is told.
//! RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, RFC 6750 §3.1, OpenID Connect Unmet Authentication Requirements.

use std::borrow::Cow;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $spec:literal, $meaning:literal;)*) => {
        /// An `error` value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $(#[doc = $meaning] $name,)* }

        impl ErrorCode {
            /// Every code, for documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The text on the wire.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// HTTP status where the error is the body of an answer.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Where the code is defined.
            pub const fn spec(self) -> &'static str {
                match self { $(Self::$name => $spec,)* }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400, "RFC 6749 §4.1.2.1", "A parameter is missing, malformed, doubled or contradicts another.";
    UnauthorizedClient = "unauthorized_client", 400, "RFC 6749 §4.1.2.1", "The client may not use this.";
    AccessDenied = "access_denied", 400, "RFC 6749 §4.1.2.1", "The user or a policy said no.";
    UnsupportedResponseType = "unsupported_response_type", 400, "RFC 6749 §4.1.2.1", "Only `code` is supported.";
    InvalidScope = "invalid_scope", 400, "RFC 6749 §4.1.2.1", "A scope is malformed or not granted.";
    LoginRequired = "login_required", 400, "OIDC Core §3.1.2.6", "`prompt=none`, and somebody would have to sign in.";
    InteractionRequired = "interaction_required", 400, "OIDC Core §3.1.2.6", "`prompt=none`, and a page would have to be shown.";
    ConsentRequired = "consent_required", 400, "OIDC Core §3.1.2.6", "`prompt=none`, and the user has not agreed yet.";
    AccountSelectionRequired = "account_selection_required", 400, "OIDC Core §3.1.2.6", "`prompt=none`, and an account would have to be chosen.";
    RequestNotSupported = "request_not_supported", 400, "OIDC Core §3.1.2.6", "This request object is not supported.";
    RequestUriNotSupported = "request_uri_not_supported", 400, "OIDC Core §3.1.2.6", "A `request_uri` comes from the pushed authorization request endpoint alone.";
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", 400, "OIDC Unmet Authentication Requirements §2", "An essential `acr` cannot be reached by this user.";
    InvalidRequestObject = "invalid_request_object", 400, "OIDC Core §3.1.2.6", "The request object is not the client's, not for here, or not of now.";
    InvalidClient = "invalid_client", 401, "RFC 6749 §5.2", "The client is unknown or did not authenticate.";
    InvalidGrant = "invalid_grant", 400, "RFC 6749 §5.2", "The code or token is wrong, expired, used, or another client's.";
    UnsupportedGrantType = "unsupported_grant_type", 400, "RFC 6749 §5.2", "The grant type is unknown.";
    InvalidTarget = "invalid_target", 400, "RFC 8707 §2", "A `resource` is unknown, malformed or not for this client.";
    InvalidRequestUri = "invalid_request_uri", 400, "RFC 9101 §7", "The `request_uri` was not pushed here, has expired or was used.";
    AuthorizationPending = "authorization_pending", 400, "RFC 8628 §3.5", "The user has not answered yet.";
    SlowDown = "slow_down", 400, "RFC 8628 §3.5", "The device asks too often: wait five seconds longer from now on.";
    ExpiredToken = "expired_token", 400, "RFC 8628 §3.5", "The device code has expired.";
    InvalidRedirectUri = "invalid_redirect_uri", 400, "RFC 7591 §3.2.2", "A redirect URI cannot be registered.";
    InvalidClientMetadata = "invalid_client_metadata", 400, "RFC 7591 §3.2.2", "A field of the registration is malformed or not allowed.";
    UnsupportedTokenType = "unsupported_token_type", 400, "RFC 7009 §2.2.1", "Tokens of this kind cannot be revoked.";
    InsufficientUserAuthentication = "insufficient_user_authentication", 401, "RFC 9470 §3", "The sign-in behind the access token is too weak or too old.";
    InvalidToken = "invalid_token", 401, "RFC 6750 §3.1", "The access token is wrong, expired or revoked.";
    InsufficientScope = "insufficient_scope", 403, "RFC 6750 §3.1", "The access token does not carry the scope `openid`.";
    InvalidDpopProof = "invalid_dpop_proof", 400, "RFC 9449 §5", "The DPoP proof is missing, wrong, too old or was used before.";
    UseDpopNonce = "use_dpop_nonce", 400, "RFC 9449 §8", "The DPoP proof needs the nonce of the `DPoP-Nonce` header.";
    TemporarilyUnavailable = "temporarily_unavailable", 503, "RFC 6749 §4.1.2.1", "Too busy; come back after `Retry-After`.";
}

/// An OAuth error: code and public description for the client, rule for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .code.text())]
pub struct OAuthError {
    pub code: ErrorCode,
    /// What to change, for the developer of the client. ASCII without `"` and `\` (RFC 6749 §4.1.2.1).
    pub description: Cow<'static, str>,
    /// Id of the rule that refused.
    pub rule: &'static str,
}

impl OAuthError {
    /// An error with a fixed description.
    pub const fn new(code: ErrorCode, rule: &'static str, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), rule }
    }

    /// An error whose description names something from the request; foreign characters become `?`.
    pub fn naming(code: ErrorCode, rule: &'static str, description: &str) -> Self {
        let safe = |c: char| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '?' };
        Self { code, description: Cow::Owned(description.chars().take(200).map(safe).collect()), rule }
    }
}
