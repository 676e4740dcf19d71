//! The modules of the OpenID Foundation's plans, by plan: the list that the tests are held against.
//! OpenID Foundation conformance suite: the `testName`s of each plan's `testModulesWithVariants`.

/// One plan and where its tests are.
pub struct Plan {
    pub name: &'static str,
    /// Folder or file below `conformance`.
    pub folder: &'static str,
    /// What follows the module's name in the name of its test.
    pub tail: &'static str,
    pub modules: &'static [&'static str],
}

/// Every plan that is run, with the variants: static clients, discovery, `response_type=code`, `client_secret_basic`;
/// for FAPI 2.0 `plain_fapi`, `openid_connect`, `private_key_jwt`, `dpop`, `simple`, grant management disabled.
pub const PLANS: &[Plan] = &[
    Plan { name: "oidcc-basic-certification-test-plan", folder: "basic", tail: "::query", modules: BASIC },
    Plan { name: "oidcc-formpost-basic-certification-test-plan", folder: "basic", tail: "::form_post", modules: BASIC },
    Plan {
        name: "oidcc-config-certification-test-plan",
        folder: "config",
        tail: "",
        modules: &["oidcc-discovery-endpoint-verification"],
    },
    Plan {
        name: "oidcc-rp-initiated-logout-certification-test-plan",
        folder: "rp_initiated_logout",
        tail: "",
        modules: RP_INITIATED_LOGOUT,
    },
    Plan {
        name: "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        folder: "backchannel_logout",
        tail: "",
        modules: &["oidcc-backchannel-logout-discovery-endpoint-verification", "oidcc-backchannel-rp-initiated-logout"],
    },
    Plan {
        name: "oidcc-frontchannel-rp-initiated-logout-certification-test-plan",
        folder: "frontchannel_logout",
        tail: "",
        modules: &[
            "oidcc-frontchannel-logout-discovery-endpoint-verification",
            "oidcc-frontchannel-rp-initiated-logout",
        ],
    },
    Plan { name: "fapi2-security-profile-final-test-plan", folder: "fapi2", tail: "", modules: FAPI2 },
];

const BASIC: &[&str] = &[
    "oidcc-server",
    "oidcc-response-type-missing",
    "oidcc-idtoken-signature",
    "oidcc-idtoken-unsigned",
    "oidcc-userinfo-get",
    "oidcc-userinfo-post-header",
    "oidcc-userinfo-post-body",
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
    "oidcc-scope-profile",
    "oidcc-scope-email",
    "oidcc-scope-address",
    "oidcc-scope-phone",
    "oidcc-scope-all",
    // The next two are one module under its old and its new name.
    "oidcc-ensure-other-scope-order-succeeds",
    "oidcc-alternate-happy-flow",
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-prompt-login",
    "oidcc-prompt-none-not-logged-in",
    "oidcc-prompt-none-logged-in",
    "oidcc-max-age-1",
    "oidcc-max-age-10000",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
    "oidcc-id-token-hint",
    "oidcc-login-hint",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-ensure-request-with-acr-values-succeeds",
    "oidcc-codereuse",
    "oidcc-codereuse-30seconds",
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-post-request-succeeds",
    "oidcc-server-client-secret-post",
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-claims-essential",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-refresh-token",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
];

const RP_INITIATED_LOGOUT: &[&str] = &[
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-no-state",
    "oidcc-rp-initiated-logout-only-state",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
];

/// The prefix of every module of the FAPI 2.0 plan.
pub const FAPI2_PREFIX: &str = "fapi2-security-profile-final-";

/// Without [`FAPI2_PREFIX`].
const FAPI2: &[&str] = &[
    "discovery-end-point-verification",
    "happy-flow",
    "user-rejects-authentication",
    "ensure-authorization-request-without-state-success",
    "ensure-authorization-request-without-nonce-success",
    "ensure-authorization-request-with-64-char-nonce-success",
    "ensure-other-scope-order-succeeds",
    "test-claims-parameter-identity-claims",
    "access-token-type-header-case-sensitivity",
    "check-dpop-proof-nbf-exp",
    "ensure-dpopproof-with-iat-10seconds-before-succeeds",
    "ensure-dpopproof-with-iat-10seconds-after-succeeds",
    "ensure-mismatched-dpop-jkt-fails",
    "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt",
    "ensure-token-endpoint-fails-with-mismatched-dpop-jkt",
    "ensure-dpopproof-at-par-endpoint-binding-success",
    "ensure-dpop-auth-code-binding-success",
    "ensure-different-nonce-inside-and-outside-request-object",
    "ensure-different-state-inside-and-outside-request-object",
    "ensure-authorization-request-with-long-nonce",
    "ensure-authorization-request-with-long-state",
    "state-only-outside-request-object-not-used",
    "ensure-request-object-without-redirect-uri-fails",
    "plain-fapi-tolerate-unregistered-redirect-uri",
    "ensure-unsigned-authorization-request-without-using-par-fails",
    "ensure-redirect-uri-in-authorization-request",
    "ensure-response-type-code-idtoken-fails",
    "ensure-response-type-token-fails",
    "ensure-client-id-in-token-endpoint",
    "ensure-holder-of-key-required",
    "ensure-authorization-code-is-bound-to-client",
    "attempt-reuse-authorization-code-after-one-second",
    "ensure-token-endpoint-fails-with-expired-auth-code",
    "ensure-signed-client-assertion-with-RS256-fails",
    "ensure-client-assertion-in-token-endpoint",
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
    "ensure-client-assertion-with-wrong-aud-fails",
    "ensure-client-assertion-with-no-sub-fails",
    "ensure-invalid-client-assertions-fail",
    "dpop-negative-tests",
    "refresh-token",
    "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds",
    "par-attempt-reuse-request_uri",
    "par-attempt-to-use-expired-request_uri",
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted",
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails",
    "par-attempt-to-use-request_uri-for-different-client",
    "par-authorization-request-containing-request_uri-form-param",
    "par-attempt-invalid-http-method",
    "par-ensure-pkce-required",
    "ensure-pkce-code-verifier-required",
    "incorrect-pkce-code-verifier-rejected",
    "par-plain-pkce-rejected",
    "par-without-duplicate-parameters",
    "par-test-array-as-audience-fails",
    "par-test-par-endpoint-url-as-audience-fails",
    "par-test-token-endpoint-url-as-audience-fails",
];

/// A module that the suite ends early or leaves out, and why. Its test, where it has one, asserts that reason.
pub struct Skipped {
    pub module: &'static str,
    pub reason: &'static str,
}

/// Modules of [`PLANS`] that end as "skipped" (which certifies): their tests assert what makes the suite skip.
pub const SKIPPED: &[Skipped] = &[
    Skipped {
        module: "oidcc-idtoken-unsigned",
        reason: "`id_token_signing_alg_values_supported` does not list `none`",
    },
    Skipped {
        module: "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
        reason: "a `request_uri` that does not come from PAR gets `request_uri_not_supported`",
    },
    Skipped {
        module: "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
        reason: "`request_object_signing_alg_values_supported` does not list `none`, or `request_not_supported`",
    },
    Skipped {
        module: "oidcc-ensure-request-object-with-redirect-uri",
        reason: "`request_object_signing_alg_values_supported` does not list `none`, or an error page",
    },
];

/// Modules of the FAPI 2.0 plan that its other variants have, without [`FAPI2_PREFIX`]; never part of our run.
pub const OTHER_VARIANTS: &[Skipped] = &[
    Skipped { module: "ensure-registered-redirect-uri", reason: "not for plain_fapi: it tolerates by RFC 9126 §2.4" },
    Skipped { module: "australia-connectid-ensure-invalid-purpose-fails", reason: "connectid_au" },
    Skipped { module: "australia-connectid-test-claims-parameter-idtoken-identity-claims", reason: "connectid_au" },
    Skipped { module: "brazil-ensure-bad-payment-signature-fails", reason: "openbanking_brazil" },
    Skipped { module: "cdr-sharing-duration-zero", reason: "consumerdataright_au" },
    Skipped { module: "cdr-negative-sharing-duration", reason: "consumerdataright_au" },
    Skipped { module: "cdr-refresh-token-introspection-expiry", reason: "consumerdataright_au" },
    Skipped { module: "cdr-arrangement-amendment", reason: "consumerdataright_au" },
    Skipped { module: "cdr-unrecognised-arrangement-id", reason: "consumerdataright_au" },
    Skipped { module: "grant-management-query-and-revoke", reason: "grant management" },
    Skipped { module: "grant-management-merge", reason: "grant management" },
    Skipped { module: "grant-management-replace", reason: "grant management" },
    Skipped { module: "grant-management-ensure-invalid-grant-id-fails", reason: "grant management" },
    Skipped { module: "grant-management-ensure-query-nonexistent-grant-fails", reason: "grant management" },
    Skipped { module: "grant-management-ensure-query-after-revoke-fails", reason: "grant management" },
    Skipped { module: "grant-management-ensure-wrong-client-cannot-query-grant", reason: "grant management" },
    Skipped { module: "grant-management-ensure-wrong-client-cannot-revoke-grant", reason: "grant management" },
];
