// Who may do what: the tokens, new ones, and their end.

import { ask, token as ownToken, useToken } from "./api.js";
import { button, field, fill, h, stored } from "./dom.js";
import { time } from "./format.js";
import { member, parse, plain } from "./json.js";
import { banner, confirm, empty, failed, loading, note } from "./notices.js";
import { toURL } from "./paths.js";

const DAY = 86_400;
const LIFETIMES = [["90 days", 90 * DAY], ["7 days", 7 * DAY], ["1 day", DAY], ["1 year", 365 * DAY], ["until it is revoked", null]];

export async function show({ signal, reload }) {
  const screen = new TokensScreen(signal, reload);
  await screen.read();
  return screen;
}

class TokensScreen {
  constructor(signal, reload) {
    Object.assign(this, { signal, reload, title: "Tokens", tokens: [] });
    this.list = h(".body", {}, loading(4));
    this.made = h(".made");
    this.form = this.makeForm();
    this.element = h(
      "section", {}, h(".head", {}, h("h1", {}, "Tokens"), h("p.summary", {}, "Who may do what on this server")),
      this.made, this.list, this.form);
  }

  async read() {
    const tokens = [];
    let after = null;
    do {
      const query = new URLSearchParams({ limit: 1000, ...(after ? { after } : {}) });
      const page = parse((await ask("GET", `/_tokens/?${query}`, { signal: this.signal })).text);
      tokens.push(...plain(member(page, "items")));
      after = plain(member(page, "next"));
    } while (after);
    this.tokens = tokens.reverse();
    this.show();
  }

  holdsSecret() {
    return this.made.childElementCount > 0;
  }

  show() {
    if (this.tokens.length === 0) {
      return fill(this.list, empty("No tokens", "Everybody who reaches this server may do everything. With the first token that ends: make one that may do everything first, and sign in with it."));
    }
    fill(
      this.list,
      h(".table-frame", {},
        h("table.documents.tokens", {},
          h("thead", {}, h("tr", {}, ["Name", "May", "Made", "Ends", "State", ""].map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, this.tokens.map((token) => this.row(token))))));
  }

  row(token) {
    const state = token.revokedAt ? "revoked" : token.expiresAt && new Date(token.expiresAt) <= Date.now() ? "expired" : "holds";
    return h(
      `tr${state === "holds" ? "" : ".gone"}`, {},
      h("th", { scope: "row", data: { label: "Name" } }, token.name),
      h("td", { data: { label: "May" } }, h(".rules", {}, token.allow.map((rule) => h("code", {}, stored(rule))))),
      h("td.dim", { data: { label: "Made" } }, time(token.createdAt)),
      h("td.dim", { data: { label: "Ends" } }, token.expiresAt ? time(token.expiresAt) : "never"),
      h("td", { data: { label: "State" } }, h(`span.state.${state}`, {}, state)),
      h("td.right", {}, state === "holds" ? button("Revoke", () => this.revoke(token), "quiet-danger", { "aria-label": `Revoke ${token.name}` }) : null));
  }

  makeForm() {
    const name = h("input", { required: true, maxlength: 64, pattern: "[A-Za-z0-9._\\-]+", placeholder: "ci", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    const rules = h("textarea", { rows: 3, placeholder: "read:/notes/", spellcheck: "false", autocapitalize: "off" });
    const lifetime = h("select", {}, LIFETIMES.map(([text, seconds]) => h("option", { value: seconds ?? "" }, text)));
    const status = h("p.status.bad", { role: "alert" });
    const submit = button("Make a token", null, "primary", { type: "submit" });
    const form = h(
      "form.new-token", {
        onsubmit: async (event) => {
          event.preventDefault();
          submit.disabled = true;
          fill(status);
          try {
            await this.create(name.value.trim(), rules.value.split(/\s+/).filter((rule) => rule), lifetime.value);
            form.reset();
          } catch (error) {
            fill(status, error.message);
          }
          submit.disabled = false;
        },
      },
      h("h2", {}, "A new token"),
      h(".columns", {},
        field("Name", name, "Letters, digits, . _ and -"), field("It holds for", lifetime)),
      field("What it may do", rules, "One rule on a line: read:/notes/, write:/users/7, stats, or admin, which is everything."),
      status, h(".actions", {}, submit));
    return form;
  }

  async create(name, allow, seconds) {
    const wanted = { name, allow, ...(seconds ? { expiresIn: Number(seconds) } : {}) };
    const { text } = await ask("POST", "/_tokens/", { body: JSON.stringify(wanted) });
    const made = plain(parse(text));
    this.showMade(made);
    // With the first token the server shuts: without one there is no list any more.
    if (ownToken()) await this.read();
    else this.list.hidden = this.form.hidden = true;
  }

  showMade(made) {
    const secret = h("code.secret", { tabindex: "0" }, made.token);
    const close = () => {
      fill(this.made);
      if (!ownToken()) this.reload();
    };
    fill(
      this.made,
      banner("good",
        h("p", {}, h("b", {}, made.name), " is made. Copy it now: it is shown this once, and nobody can tell it again."),
        h(".joined", {}, secret, button("Copy", () => copySecret(made.token, secret), "primary")),
        h(".actions", {},
          !ownToken() && made.allow.includes("admin") ? button("Sign in with it", () => { useToken(made.token); this.reload(); }) : null,
          button("I have it", close, "quiet"))));
    secret.focus();
  }

  async revoke(token) {
    const isMeant = await confirm({
      title: `Revoke ${token.name}?`, text: "Whoever uses it is let in no longer, at once and for good.", action: "Revoke", danger: true,
    });
    if (!isMeant) return;
    try {
      await ask("DELETE", "/_tokens" + toURL("/" + (token.id ?? token.name)));
      note(`${token.name} is revoked.`);
      await this.read();
    } catch (error) {
      if (!this.signal.aborted) fill(this.list, failed(error, this.reload));
    }
  }
}

async function copySecret(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    note("Copied.");
  } catch {
    getSelection().selectAllChildren(element);
    note("The browser does not let this page copy; the token is marked, press Ctrl+C.");
  }
}
