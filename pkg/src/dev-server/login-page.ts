// A page to sign in on, for an application that has none yet.

/** The page. What it knows is nothing: it posts to /auth/login and shows, or hands on, the answer. */
export const LOGIN_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in: everfresh-dev-server</title>
<style>body{font:16px system-ui;max-width:30em;margin:3em auto;padding:0 1em}label{display:block;margin:.5em 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:1em}</style>
<h1>Sign in</h1>
<form>
<label>User <input name="username" value="demo" autocomplete="username" required></label>
<label>Password <input name="password" type="password" value="demo" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<pre role="status"></pre>
<script type="module">
const form = document.querySelector("form");
const told = document.querySelector("pre");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  const answer = await response.json();
  const target = new URL(new URLSearchParams(location.search).get("redirect") ?? "", location.href);
  if (response.ok && target.origin === location.origin && target.pathname !== location.pathname) {
    location.assign(target);
  } else {
    told.textContent = JSON.stringify(answer, null, 2);
  }
});
</script>
`;
