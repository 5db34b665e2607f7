// Asks for a token. It is kept for this tab, until that is closed or signed out of.

import { ask, useToken } from "./api.js";
import { button, field, fill, h } from "./dom.js";

/// - Parameters:
///   - done: called once a token is taken.
///   - cancel: called where one goes on without; null: one cannot.
export function signInScreen(done, cancel) {
  const input = h("input", {
    type: "password", autocomplete: "off", spellcheck: "false", placeholder: "docket_…", required: true,
  });
  const status = h("p.status", { role: "alert" });
  const submit = button("Sign in", null, "primary", { type: "submit" });

  async function send(event) {
    event.preventDefault();
    const token = input.value.trim();
    if (!token) return;
    if (/[^\x21-\x7e]/.test(token)) return say("bad", "A token has no spaces and no special characters; copy it whole.");
    submit.disabled = true;
    say("", "Asking…");
    useToken(token);
    try {
      await ask("GET", "/_collections/?count=true&limit=1", { quiet: true });
      done();
    } catch (error) {
      // Who may not read may write.
      if (error.status === 403) return done();
      useToken(null);
      say("bad", error.status === 401 ? "The server does not take this token: it is wrong, expired or revoked." : error.message);
      submit.disabled = false;
      input.select();
    }
  }

  function say(kind, text) {
    status.className = "status" + (kind ? ` ${kind}` : "");
    fill(status, text);
  }

  const element = h(
    "form.sign-in", { onsubmit: send },
    h(".brand", {}, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), "Docket"),
    h("h1", {}, "Sign in"),
    h("p", {}, cancel ? "With a token you may do more here." : "This server asks for a token.", " Whoever runs it makes one with ", h("code", {}, "docket token create"), "."),
    field("Token", input, "It stays in this tab, and is forgotten when you sign out or close it."),
    status, h(".actions", {}, submit, cancel && button("Go on without", cancel, "quiet")));
  return { title: "Sign in", element, focus: () => input.focus(), escape: cancel && (() => { cancel(); return true; }) };
}
