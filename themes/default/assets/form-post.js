// An answer to an application: the browser posts it without anybody's help.
document.getElementById('form-post').submit();
