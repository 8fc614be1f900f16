/** The page's skeleton; `script.ts` fills it. */
export const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>regatta</title>
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
</head>
<body>
<header>
  <h1 id="name">regatta</h1>
  <p id="state" role="status">connecting …</p>
</header>
<main>
  <form id="login" hidden>
    <label for="token">Token of scope "read"</label>
    <input id="token" type="password" autocomplete="off" required>
    <button>Show the race</button>
    <p id="refused" role="alert"></p>
  </form>
  <section aria-labelledby="race-title">
    <h2 id="race-title">Race</h2>
    <p id="races" hidden></p>
    <p id="verdict" class="verdict" aria-live="polite">No race yet: deploy a challenger beside the champion.</p>
    <p id="reason"></p>
    <p id="drift" class="drift" role="alert" hidden></p>
    <div id="race" hidden>
      <table>
        <caption>Variants of the race</caption>
        <thead><tr>
          <th scope="col">Variant</th><th scope="col">Mean loss</th><th scope="col">Labels</th>
          <th scope="col">Predictions</th><th scope="col">Parameters</th>
        </tr></thead>
        <tbody id="arms"></tbody>
      </table>
      <figure>
        <div id="chart"></div>
        <figcaption id="caption"></figcaption>
      </figure>
      <dl id="facts"></dl>
      <ul id="guardrails"></ul>
      <h3>Gates</h3>
      <ul id="gates"></ul>
    </div>
  </section>
  <section aria-labelledby="deployment-title">
    <h2 id="deployment-title">Deployment</h2>
    <p id="gateway"></p>
    <table>
      <caption>Processes</caption>
      <thead><tr>
        <th scope="col">Process</th><th scope="col">Variant</th><th scope="col">Role</th><th scope="col">Share</th>
        <th scope="col">State</th><th scope="col">Restarts</th><th scope="col">Reason</th>
      </tr></thead>
      <tbody id="processes"></tbody>
    </table>
  </section>
  <noscript>This page needs JavaScript; <code>regatta race</code> and <code>regatta status</code> show the same.</noscript>
</main>
</body>
</html>
`
