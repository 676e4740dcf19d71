//! Browser and system in words, for "last used" lines. A guess from an unsigned header; nothing rests on it.

/// Browsers by a token of their header; the first match wins, so that disguises come before what they pose as.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// "Firefox on Linux", or nothing when neither is known.
pub fn words(header: &str) -> Option<String> {
    let find = |table: &[(&str, &'static str)]| table.iter().find(|(token, _)| header.contains(token)).map(|(_, n)| *n);
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_browser_and_system() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(words(chrome).as_deref(), Some("Chrome on Linux"));
        assert_eq!(words(&format!("{chrome} Edg/140.0")).as_deref(), Some("Edge on Linux"));
        assert_eq!(words("curl/8"), None);
    }
}
