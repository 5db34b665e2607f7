// JSON read without loss: numbers keep their digits, objects their order and their equal keys, and every value knows where it
// stands in the text. What is saved is always the text itself.

/// What is wrong with a text, and where: `offset` counts UTF-16 units, `line` and `column` from 1.
export class Fault extends Error {
  constructor(message, text, offset) {
    super(message);
    this.offset = offset;
    const before = text.slice(0, offset);
    this.line = before.split("\n").length;
    this.column = offset - before.lastIndexOf("\n");
  }
}

/// Deeper than any server takes; it keeps a text from using up the stack.
const MAXIMUM_DEPTH = 1000;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/// Reads a text into nodes: `{kind, start, end}` with `members` (`{key, start, value}`), `items`, `value` of a string, or `raw`.
/// - Throws: `Fault`.
export function parse(text) {
  const reader = new Reader(text);
  reader.skip();
  const node = reader.value(0);
  reader.skip();
  if (reader.at < text.length) reader.fail("Something stands behind the end of the value.");
  return node;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(message, offset = this.at) {
    throw new Fault(message, this.text, offset);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)[0];
    this.at += found.length;
    return found;
  }

  skip() {
    this.match(SPACE);
  }

  value(depth) {
    const { text, at: start } = this;
    switch (text[start]) {
      case undefined: return this.fail("The text ends where a value should stand.");
      case "{": return this.object(depth + 1);
      case "[": return this.array(depth + 1);
      case '"': return { kind: "string", value: this.string(), start, end: this.at };
      case "t": return this.word("true");
      case "f": return this.word("false");
      case "n": return this.word("null");
    }
    if (!/[-0-9]/.test(text[start])) this.fail(`A value cannot begin with ${show(text[start])}.`);
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(text);
    if (!number) this.fail("A number needs a digit behind its minus.");
    this.at += number[0].length;
    if (/[0-9.eE+-]/.test(text[this.at] ?? "")) this.fail("This is no number of JSON.", start);
    return { kind: "number", raw: number[0], start, end: this.at };
  }

  word(word) {
    const start = this.at;
    if (!this.text.startsWith(word, start)) this.fail(`A value that begins so is ${word}.`);
    this.at += word.length;
    return { kind: word === "null" ? "null" : "boolean", raw: word, start, end: this.at };
  }

  enter(depth) {
    if (depth > MAXIMUM_DEPTH) this.fail(`Arrays and objects nest ${MAXIMUM_DEPTH} deep at most.`);
    this.at += 1;
    this.skip();
  }

  object(depth) {
    const start = this.at;
    const members = [];
    this.enter(depth);
    if (!this.take("}")) {
      do {
        this.skip();
        const at = this.at;
        if (this.text[at] !== '"') {
          this.fail(at < this.text.length ? "A key should stand here, in double quotes." : "The text ends within an object.");
        }
        const key = this.string();
        this.skip();
        if (!this.take(":")) this.fail("Behind a key comes a colon.");
        this.skip();
        members.push({ key, start: at, value: this.value(depth) });
        this.skip();
      } while (this.take(","));
      if (!this.take("}")) this.fail("Behind a member comes a comma, or the closing brace.");
    }
    return { kind: "object", members, start, end: this.at };
  }

  array(depth) {
    const start = this.at;
    const items = [];
    this.enter(depth);
    if (!this.take("]")) {
      do {
        this.skip();
        items.push(this.value(depth));
        this.skip();
      } while (this.take(","));
      if (!this.take("]")) this.fail("Behind an element comes a comma, or the closing bracket.");
    }
    return { kind: "array", items, start, end: this.at };
  }

  take(character) {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  string() {
    const start = this.at++;
    let value = "";
    for (;;) {
      value += this.match(PLAIN);
      const character = this.text[this.at];
      if (character === '"') break;
      if (character === undefined) this.fail("This string is not closed.", start);
      if (character !== "\\") this.fail("Line breaks and other control characters in a string are written \\n, \\t or \\u001f.");
      value += this.escape();
    }
    this.at += 1;
    return value;
  }

  escape() {
    const { text, at } = this;
    if (text[at + 1] === "u") {
      const digits = text.slice(at + 2, at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("Behind \\u come four hexadecimal digits.");
      this.at += 6;
      return String.fromCharCode(parseInt(digits, 16));
    }
    const meant = ESCAPES[text[at + 1]];
    if (meant === undefined) this.fail("There is no such escape; a backslash itself is written \\\\.");
    this.at += 2;
    return meant;
  }
}

function show(character) {
  return character === "'" ? "a single quote; strings stand in double quotes" : `“${character}”`;
}

/// The value of a key in an object; of equal keys the last one counts. undefined where there is none.
export function member(node, key) {
  return node?.kind === "object" ? node.members.findLast((member) => member.key === key)?.value : undefined;
}

/// What a string says, or a number, boolean or null is as JavaScript has it: for what the server says of itself.
export function plain(node) {
  switch (node?.kind) {
    case "string": return node.value;
    case "number": return Number(node.raw);
    case "boolean": return node.raw === "true";
    case "array": return node.items.map(plain);
    case "object": return Object.fromEntries(node.members.map(({ key, value }) => [key, plain(value)]));
    default: return null;
  }
}

/// The text with line breaks and indents where they help; only white space is another.
export function format(text, node = parse(text)) {
  const pieces = [];
  write(text, node, "\n", pieces);
  return pieces.join("");
}

const WIDTH = 72;

function write(text, node, indent, pieces) {
  const parts = node.kind === "object" ? node.members : node.kind === "array" ? node.items : [];
  const line = parts.length === 0 || parts.every((part) => isScalar(valueOf(part))) ? inline(text, node) : null;
  if (line !== null && (parts.length === 0 || (node.kind === "array" && line.length + indent.length <= WIDTH))) {
    pieces.push(line);
    return;
  }
  const [open, close] = node.kind === "object" ? "{}" : "[]";
  const inner = indent + "  ";
  pieces.push(open);
  parts.forEach((part, index) => {
    pieces.push(index ? "," : "", inner);
    if (part.key !== undefined) pieces.push(keyText(text, part), ": ");
    write(text, valueOf(part), inner, pieces);
  });
  pieces.push(indent, close);
}

/// Of a member its value, of an element itself.
function valueOf(part) {
  return part.key === undefined ? part : part.value;
}

function isScalar(node) {
  return node.kind !== "object" && node.kind !== "array";
}

/// A key as it is written.
function keyText(text, part) {
  let end = part.start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return text.slice(part.start, end + 1);
}

/// The text of a value on one line.
function inline(text, node = parse(text)) {
  switch (node.kind) {
    case "object": return "{" + node.members.map((part) => keyText(text, part) + ": " + inline(text, part.value)).join(", ") + "}";
    case "array": return "[" + node.items.map((item) => inline(text, item)).join(", ") + "]";
    default: return text.slice(node.start, node.end);
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[{}[\],:]|\s+|./gsu;

/// The tokens of a text that is JSON, with what each is: for colours.
export function* tokens(text) {
  const open = [];
  let wantsKey = false;
  for (const [token] of text.matchAll(TOKEN)) {
    let kind = "mark";
    if (token === "{" || token === "[") {
      open.push(token);
      wantsKey = token === "{";
    } else if (token === "}" || token === "]") {
      open.pop();
      wantsKey = false;
    } else if (token === ",") wantsKey = open.at(-1) === "{";
    else if (token === ":") wantsKey = false;
    else if (token[0] === '"') kind = wantsKey ? "key" : "string";
    else if (/^[-0-9]/.test(token)) kind = "number";
    else if (/^[tfn]/.test(token)) kind = "word";
    else kind = "space";
    yield { token, kind };
  }
}
