// A name as the way to it: each part that is a collection or a document leads there.

import { h, stored } from "./dom.js";
import { address } from "./paths.js";

export function trail(name) {
  const parts = name.split("/").slice(1).filter((part) => part !== "");
  const steps = parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    // A document lies in a collection, and a nested collection beneath a document.
    const isCollection = index === 0 || ((parts.length - 1 - index) % 2 === 0) === name.endsWith("/");
    const path = "/" + parts.slice(0, index + 1).join("/") + (isCollection ? "/" : "");
    const text = h("bdi", {}, stored(part));
    return [
      h("span.slash", { "aria-hidden": "true" }, "/"),
      isLast ? text : h("a", { href: address(isCollection ? "documents" : "document", path) }, text),
    ];
  });
  return h("h1.trail", { title: name }, steps, name.endsWith("/") ? h("span.slash", { "aria-hidden": "true" }, "/") : null);
}
