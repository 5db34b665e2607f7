// Backups in the server's own folder: which there are, a new one, and how one takes the place of the database.

import { ask } from "./api.js";
import { button, fill, h } from "./dom.js";
import { bytes, counted, time } from "./format.js";
import { parse, plain } from "./json.js";
import { pause } from "./live.js";
import { banner, confirm, empty, explain, failed, loading, note } from "./notices.js";
import { toURL } from "./paths.js";

const INTERVAL = 500;

export async function show({ signal }) {
  const screen = new BackupsScreen(signal);
  await screen.read();
  if (screen.running) screen.followOther();
  return screen;
}

class BackupsScreen {
  constructor(signal) {
    Object.assign(this, { signal, title: "Backups", items: [], running: null, fetching: null, isMaking: false, hasFolder: true });
    this.summary = h("p.summary");
    this.progress = h(".progress", { role: "status", hidden: true });
    this.status = h(".news", { role: "alert" });
    this.list = h(".body", {}, loading(4));
    this.name = h("input", {
      id: "backup-name", required: true, maxlength: 100, pattern: "[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*", value: freshName(), spellcheck: "false",
      autocapitalize: "off", autocomplete: "off",
    });
    this.submit = button("Back up now", null, "primary", { type: "submit" });
    this.form = h(
      "form.new-backup", { onsubmit: (event) => { event.preventDefault(); this.make(); } },
      h("label", { for: this.name.id }, "Name of a new one"), h(".joined", {}, this.name, this.submit),
      h("p.hint", {}, "It has everything that is stored when it begins: documents, history, settings and tokens. It is checked before it gets its name."));
    this.element = h(
      "section", {}, h(".head", {}, h("h1", {}, "Backups"), this.summary), this.form, this.progress, this.status, this.list);
  }

  async read(signal = this.signal) {
    const { text } = await ask("GET", "/_backups/", { signal });
    const { items, running, fetching } = plain(parse(text));
    items.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    Object.assign(this, { items, running, fetching });
    this.show();
  }

  show() {
    const { items, running } = this;
    const size = items.reduce((sum, item) => sum + item.bytes, 0);
    fill(this.summary, items.length ? `${counted(items.length, "backup")}, ${bytes(size)}` : "");
    this.submit.disabled = this.isMaking || running !== null;
    if (!this.isMaking || running) this.showProgress(running);
    fill(
      this.list,
      this.fetching ? banner("hint", `A copy of ${bytes(this.fetching.bytes)} is there for a client that fetches it. It goes by itself.`) : null,
      items.length ? this.table() : this.nothing());
  }

  table() {
    return h(
      ".table-frame", {},
      h("table.documents.backups", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Made"), h("th.right", { scope: "col" }, "Size"), h("th", { scope: "col" }))),
        h("tbody", {}, this.items.map((item) => this.row(item)))));
  }

  row(item) {
    return h(
      "tr", {},
      h("th", { scope: "row", data: { label: "Name" } }, item.name),
      h("td.dim", { data: { label: "Made" } }, time(item.createdAt)),
      h("td.right", { data: { label: "Size" } }, bytes(item.bytes)),
      h("td.right", {}, h(".row-actions", {},
        button("How to restore", () => tellRestore(item), "quiet", { "aria-label": `How to restore ${item.name}` }),
        button("Delete", () => this.remove(item), "quiet-danger", { "aria-label": `Delete ${item.name}` }))));
  }

  nothing() {
    if (!this.hasFolder) {
      return empty(
        "The server has no folder for backups", "Start it with one, and it makes them by itself as well:",
        command("docket serve --backup-folder /srv/backups --backup-every 6h --backup-keep 28"),
        h("p", {}, "Or fetch one over the connection, from any machine:"), command("docket backup monday.db"));
    }
    return empty("No backups yet", "Back up now makes the first. With --backup-every the server makes them by itself.");
  }

  // MARK: A new one

  async make(acceptFaults = false) {
    const name = this.name.value.trim();
    const making = new AbortController();
    this.isMaking = true;
    this.submit.disabled = true;
    fill(this.status);
    this.showProgress({ name, percent: null });
    try {
      const request = ask("POST", "/_backups/", {
        body: JSON.stringify({ name, ...(acceptFaults ? { acceptFaults } : {}) }), wait: Infinity, signal: making.signal,
      });
      const { text } = await Promise.race([request, this.follow(making.signal)]);
      const made = plain(parse(text));
      note(`${made.name} is made: ${bytes(made.bytes)}, up to revision ${made.revision}${made.faults ? `, with ${counted(made.faults, "fault")}` : ""}.`);
      this.name.value = freshName();
    } catch (error) {
      this.showFailure(name, error);
    } finally {
      making.abort();
      this.isMaking = false;
    }
    await this.readAgain();
  }

  /// Shows how far the one is that is made here.
  /// - Throws: where the server does not answer any more.
  async follow(signal) {
    for (;;) {
      await pause(INTERVAL, signal);
      if (signal.aborted) return;
      await this.read(signal).catch((error) => {
        if (error.status === undefined) throw error;
      });
    }
  }

  /// Shows how far one is that somebody else has begun, or the server by itself.
  async followOther() {
    while (this.running && !this.isMaking && !this.signal.aborted) {
      await pause(INTERVAL, this.signal);
      await this.readAgain();
    }
  }

  async readAgain() {
    try {
      await this.read();
    } catch (error) {
      this.running = null;
      if (!this.signal.aborted) fill(this.list, failed(error, () => this.readAgain()));
    }
  }

  showProgress(running) {
    this.progress.hidden = !running;
    if (!running) return fill(this.progress);
    const { name, percent } = running;
    fill(
      this.progress,
      h("span", {}, `Making ${name || "a copy that is to be fetched"}${percent === null ? " …" : `: ${percent} % of this step`}`),
      h("progress", { max: 100, ...(percent === null ? {} : { value: percent }), "aria-label": "Progress" }));
  }

  showFailure(name, error) {
    if (this.signal.aborted) return note(`${name} was not made: ${error.message}`);
    this.hasFolder = error.error !== "no_backup_folder";
    if (!this.hasFolder) return void (this.form.hidden = true);
    fill(this.status, banner(
      "bad", h("p", {}, h("b", {}, `${name} was not made. `), error.message),
      error.error === "database_faulty" ? h(".actions", {}, button("Copy it with its faults", () => this.make(true))) : null));
  }

  async remove(item) {
    const isMeant = await confirm({
      title: `Delete ${item.name}?`, text: `The file of ${bytes(item.bytes)} is removed from the server's folder, for good.`, action: "Delete", danger: true,
    });
    if (!isMeant) return;
    try {
      await ask("DELETE", "/_backups" + toURL("/" + item.name));
      note(`${item.name} is deleted.`);
    } catch (error) {
      note(error.message);
    }
    await this.readAgain();
  }
}

function tellRestore({ name }) {
  explain(
    `Restore ${name}`,
    h("p", {}, "Stop the server. Then, on its machine and as the user that it runs as:"),
    command(`docket restore FOLDER/${name} --database FILE`),
    h("p", {}, "FOLDER is the server's ", option("--backup-folder"), ", FILE its ", option("--database"), ". The database that was there is kept beside it. Where it has newer changes than the backup, ",
      option("--replace"), " is needed; ", option("--dry-run"), " only tells what would happen."),
    h("p", {}, "For a single document the restore button in its history is enough, as far as that reaches."));
}

function option(text) {
  return h("code", {}, text);
}

/// A line for a shell, to be copied.
function command(text) {
  // A break at a hyphen would make options of it that there are not.
  const code = h("code", {}, text.split(" ").map((word, index) => [index > 0 ? " " : null, h("span", {}, word)]));
  return h(".command", {}, code, button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      note("Copied.");
    } catch {
      getSelection().selectAllChildren(code);
      note("The browser does not let this page copy; the line is marked, press Ctrl+C.");
    }
  }, "quiet"));
}

/// The names that the server gives its own begin with `docket-`, and such go with time (`--backup-keep`).
function freshName() {
  return `manual-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")}Z.db`;
}
