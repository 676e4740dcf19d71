// Signing out by the front channel: goes on when every frame has loaded, or after three seconds, since an application
// that does not answer keeps nobody here. No module, as in form-post.js.
(function () {
  var gone = false;
  function go() {
    if (gone) return;
    gone = true;
    location.replace(document.getElementById('go-on').href);
  }
  if (document.readyState === 'complete') go();
  else addEventListener('load', go);
  setTimeout(go, 3000);
})();
