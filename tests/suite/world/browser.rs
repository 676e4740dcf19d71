//! A browser: cookies of its own, no redirects unless asked, forms filled as a page has them.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::rp::encode;

/// One browser profile.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// Origin of the product, without a slash at the end.
    pub origin: String,
    /// Cookies by name.
    pub jar: BTreeMap<String, String>,
    /// Sent with each request, for instance `user-agent`.
    pub headers: HeaderMap,
    /// The newest token a JSON answer or a form brought.
    pub csrf: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(http: reqwest::Client, origin: &str) -> Self {
        let origin = origin.to_owned();
        Self { http, origin, jar: BTreeMap::new(), headers: HeaderMap::new(), csrf: String::new() }
    }

    /// `GET` of a path or of an address of the product.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    /// `GET`, and on as long as redirects and "go on" pages stay at the product.
    pub async fn open(&mut self, path: &str) -> Page {
        let page = self.get(path).await;
        self.follow(page).await
    }

    /// Goes on from `page` as long as it leads to another page of the product.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            match page.next() {
                Some(next) if next.starts_with('/') || next.starts_with(&format!("{}/", self.origin)) => {
                    page = self.get(&next).await;
                }
                _ => return page,
            }
        }
        panic!("ten redirects and no page: {:?}", page.next());
    }

    /// `POST` of a form as given, nothing added.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(fields));
        self.send(request).await
    }

    /// Submits the form of `page` whose action is `action`: its hidden fields, then `fields`. Does not follow.
    pub async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.form(action);
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.extend_from_slice(fields);
        let origin = HeaderValue::from_str(&self.origin).unwrap();
        let request = self.request(Method::POST, action).header(ORIGIN, origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&all));
        self.send(request).await
    }

    /// `POST` of JSON from a page of the product: with `Origin` and the newest token.
    pub async fn json(&mut self, path: &str, body: &Value) -> Page {
        let origin = self.origin.clone();
        self.json_from(path, body, &origin).await
    }

    /// `POST` of JSON from a page of `origin`.
    pub async fn json_from(&mut self, path: &str, body: &Value, origin: &str) -> Page {
        let request = self.request(Method::POST, path).header(ORIGIN, origin).header("x-csrf-token", &self.csrf);
        let page = self.send(request.header("content-type", "application/json").body(body.to_string())).await;
        if page.status == 200
            && let Some(csrf) =
                serde_json::from_str::<Value>(&page.body).ok().and_then(|v| v["csrf"].as_str().map(str::to_owned))
        {
            self.csrf = csrf;
        }
        page
    }

    /// A request with this browser's cookies, to be completed and given to [`Browser::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.to_owned() };
        let mut request = self.http.request(method, url).headers(self.headers.clone());
        if !self.jar.is_empty() {
            let cookies: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        request
    }

    /// Sends a request and keeps the cookies that come back.
    pub async fn send(&mut self, request: RequestBuilder) -> Page {
        let response = request.send().await.expect("the product answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        assert_ne!(status, 307, "a 307 would send a password on (RFC 9700 §4.12)");
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            if value.is_empty() || line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let page = Page { status, headers, body: response.text().await.expect("the product answers in full") };
        assert_ne!(page.status, 500, "a fault of ours: {}", page.body);
        page
    }

    /// The cookie whose name ends with `-kind` (`session`, `browser`, `login`, `known`).
    pub fn cookie(&self, kind: &str) -> Option<&str> {
        self.jar.iter().find(|(name, _)| name.ends_with(&format!("-{kind}"))).map(|(_, value)| value.as_str())
    }
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(HeaderName::from_bytes(name.as_bytes()).unwrap())?.to_str().ok()
    }

    pub fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// Where the browser goes by itself: a redirect, or the link of a "go on" page.
    pub fn next(&self) -> Option<String> {
        if let Some(location) = self.location() {
            return Some(location.to_owned());
        }
        let tag = self.tags("a").into_iter().find(|tag| attribute(tag, "id").as_deref() == Some("go-on"))?;
        attribute(tag, "href")
    }

    /// The answer to a client that the page posts by itself: address and fields.
    pub fn posted(&self) -> Option<(String, Vec<(String, String)>)> {
        let tag = self.tags("form").into_iter().find(|tag| attribute(tag, "id").as_deref() == Some("form-post"))?;
        let action = attribute(tag, "action")?;
        let fields = self.form(&action);
        Some((action, fields))
    }

    /// The body as JSON.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, self.body))
    }

    /// `error` of a JSON answer.
    pub fn error(&self) -> String {
        self.value()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The code on our own error page, or of problem+json.
    pub fn code(&self) -> Option<String> {
        if let Ok(value) = serde_json::from_str::<Value>(&self.body) {
            return value["code"].as_str().map(str::to_owned);
        }
        let (_, rest) = self.body.split_once("<code id=\"error-code\">")?;
        Some(rest.split_once('<')?.0.to_owned())
    }

    /// Whether an element has this id.
    pub fn has(&self, id: &str) -> bool {
        self.body.contains(&format!("id=\"{id}\""))
    }

    /// The hidden fields of the form with this action.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let forms = self.body.split("<form").skip(1).filter_map(|form| form.split_once("</form>").map(|(f, _)| f));
        let form = forms.into_iter().find(|form| {
            attribute(form.split_once('>').map_or("", |(tag, _)| tag), "action").as_deref() == Some(action)
        });
        let form = form.unwrap_or_else(|| panic!("no form {action} on the page ({}): {}", self.status, self.body));
        let inputs = form.split("<input").skip(1).filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag));
        let hidden = inputs.filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"));
        hidden.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
    }

    /// The sealed authorization request the page carries: in a form, in its address, or in the address it leads to.
    pub fn sealed(&self) -> Option<String> {
        if let Some(next) = self.next() {
            let (_, query) = next.split_once('?')?;
            return url::form_urlencoded::parse(query.as_bytes())
                .find(|(n, _)| n == "request")
                .map(|(_, v)| v.into_owned());
        }
        self.field("request")
    }

    /// The address of the link that carries `mark`.
    pub fn link_to(&self, mark: &str) -> Option<String> {
        self.tags("a").into_iter().find(|tag| tag.contains(mark)).and_then(|tag| attribute(tag, "href"))
    }

    /// The value of the field of this name.
    pub fn field(&self, name: &str) -> Option<String> {
        let tag = self.tags("input").into_iter().find(|tag| attribute(tag, "name").as_deref() == Some(name))?;
        attribute(tag, "value")
    }

    fn tags(&self, name: &str) -> Vec<&str> {
        let opening = format!("<{name} ");
        let parts = self.body.split(opening.as_str()).skip(1);
        parts.filter_map(|part| part.split_once('>').map(|(tag, _)| tag)).collect()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(format!("{name}=\"").as_str())?;
    let value = rest.split_once('"')?.0;
    // Only what the templates escape.
    let plain = [
        ("&#x2F;", "/"),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    Some(plain.iter().fold(value.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain)))
}
