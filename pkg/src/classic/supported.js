// Says what is missing in a browser that is too old to read the package: in ES5, a script of its own,
// before the application's. With `data-notice` its user reads that text too.
//
//   <script src="/supported.js" data-notice="Please update your browser."></script>

(function (page) {
  var script = page && (page.currentScript || page.scripts[page.scripts.length - 1]);
  var notice = script && script.getAttribute("data-notice");
  var missing = [];
  var error;

  // Each came to its browsers with the syntax that the package is written in, or after it. To ask for
  // the syntax itself a script has to evaluate text, which good policies forbid.
  try {
    new RegExp("(?<=a)b"); // Safari 16.4
  } catch (e) {
    missing.push("lookbehind in regular expressions");
  }
  if (typeof structuredClone !== "function") missing.push("structuredClone"); // Chrome 98, Firefox 94
  if (!missing.length) return;

  function show() {
    var line = page.createElement("p");
    line.setAttribute("role", "alert");
    line.appendChild(page.createTextNode(notice));
    page.body.insertBefore(line, page.body.firstChild);
  }
  if (notice) {
    if (page.body) show();
    else page.addEventListener("DOMContentLoaded", show);
  }
  error = new Error(
    "everfresh cannot run here: this browser lacks " +
      missing.join(" and ") +
      ". It needs Chrome 98, Firefox 94, Safari 16.4 or newer: update the browser",
  );
  error.name = "UnsupportedBrowserError";
  error.code = "ERR_UNSUPPORTED_BROWSER";
  error.fault = "environment";
  error.retryable = false;
  throw error;
})(typeof document === "object" && document);
