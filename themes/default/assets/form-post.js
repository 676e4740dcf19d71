// An answer to an application: the browser posts it without anybody's help. No module: old browsers, and HtmlUnit,
// which the conformance suite drives, run none.
document.getElementById('form-post').submit();
