// Who may do what: the tokens, new ones, and their end.

import { access, forgetAccess } from "./access.js";
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
      return fill(this.list, empty("No tokens", "Everybody who reaches this server may do everything. The first token ends that: from then on, nobody is let in without one. So let the first be admin, and sign in with it."));
    }
    fill(
      this.list,
      h(".table-frame", {},
        h("table.documents.tokens", {},
          h("thead", {}, h("tr", {}, ["Name", "May do", "Made", "Ends", "State", ""].map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, this.tokens.map((token) => this.row(token))))));
  }

  row(token) {
    const state = stateOf(token);
    return h(
      `tr${state === "valid" ? "" : ".gone"}`, {},
      h("th", { scope: "row", data: { label: "Name" } }, token.name, token.id === access.token?.id ? h("span.tag", {}, "yours") : null),
      h("td", { data: { label: "May do" } }, h(".rules", {}, token.allow.map((rule) => h("code", {}, stored(rule))))),
      h("td.dim", { data: { label: "Made" } }, time(token.createdAt)),
      h("td.dim", { data: { label: "Ends" } }, token.expiresAt ? time(token.expiresAt) : "never"),
      h("td", { data: { label: "State" } }, h(`span.state.${state}`, {}, state)),
      h("td.right", {}, state === "valid" ? button("Revoke", () => this.revoke(token), "quiet-danger", { "aria-label": `Revoke ${token.name}` }) : null));
  }

  makeForm() {
    const name = h("input", { required: true, maxlength: 64, pattern: "[A-Za-z0-9._\\-]+", placeholder: "ci", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    const rules = h("textarea", { rows: 3, placeholder: "read:/notes/", spellcheck: "false", autocapitalize: "off", oninput: warn });
    const warning = h(".warning", { "aria-live": "polite" });
    const lifetime = h("select", {}, LIFETIMES.map(([text, seconds]) => h("option", { value: seconds ?? "" }, text)));
    const status = h("p.status.bad", { role: "alert" });
    const submit = button("Make a token", null, "primary", { type: "submit" });
    // The first one shuts the server for all who have none.
    if (access.open) rules.value = "admin";
    const allow = () => rules.value.split(/\s+/).filter((rule) => rule);
    function warn() {
      const locksOut = access.open && !allow().includes("admin");
      fill(warning, locksOut ? banner("hint", "This would be the first token, and it is not admin: nobody could make another here, change settings or make backups. Only whoever has the database file could, with ", h("code", {}, "docket token create"), ".") : null);
      return locksOut;
    }
    const form = h(
      "form.new-token", {
        onsubmit: async (event) => {
          event.preventDefault();
          if (warn() && !(await agreesToLockOut())) return;
          submit.disabled = true;
          fill(status);
          try {
            await this.create(name.value.trim(), allow(), lifetime.value);
            form.reset();
          } catch (error) {
            fill(status, error.message);
          }
          submit.disabled = false;
        },
      },
      h("h2", {}, "A new token"),
      h(".columns", {},
        field("Name", name, "Letters, digits, . _ and -"), field("Valid for", lifetime)),
      field("What it may do", rules, "One rule on a line: read:/notes/, write:/users/7, stats, or admin, which is everything."),
      warning, status, h(".actions", {}, submit));
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
      if (ownToken()) return;
      forgetAccess();
      this.reload();
    };
    fill(
      this.made,
      banner("good",
        h("p", {}, h("b", {}, made.name), " is made. Copy it now: it is shown only this once, and nobody can look it up later."),
        h(".joined", {}, secret, button("Copy", () => copySecret(made.token, secret), "primary")),
        h(".actions", {},
          !ownToken() && made.allow.includes("admin") ? button("Sign in with it", () => { useToken(made.token); this.reload(); }) : null,
          button("I have it", close, "quiet"))));
    secret.focus();
  }

  whatRevokingDoes(token) {
    const admins = this.tokens.filter((other) => stateOf(other) === "valid" && other.allow.includes("admin"));
    return [
      "Whoever uses it is shut out at once, and for good.",
      token.id === access.token?.id ? "It is the one you are signed in with." : "",
      admins.length === 1 && admins[0].id === token.id ? "It is the last that is admin: only whoever has the database file can make another then." : "",
    ].filter((sentence) => sentence).join(" ");
  }

  async revoke(token) {
    const isMeant = await confirm({
      title: `Revoke ${token.name}?`, text: this.whatRevokingDoes(token), action: "Revoke", danger: true,
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

function stateOf(token) {
  if (token.revokedAt) return "revoked";
  return token.expiresAt && new Date(token.expiresAt) <= Date.now() ? "expired" : "valid";
}

function agreesToLockOut() {
  return confirm({
    title: "Make a first token that is not admin?",
    text: "It shuts the server for everybody, and can do no more than its rules. Making other tokens takes the database file then.",
    action: "Make it", danger: true,
  });
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
