import DocketWire
import NIOCore

/// Makes requests of a fuzzer's bytes: mostly such as mean something, about few documents, so that they meet.
struct RequestGrammar {
  enum Step {
    case request(Request)
    /// Time passes.
    case wait(milliseconds: Int64)
  }

  /// What revisions are counted from.
  let revision: Int64
  /// Tells the idempotency keys of this run from those of others.
  let run: Int

  static let collections = ["/n/", "/m/", "/n/1/x/", "/ü/"]
  private static let ids = ["1", "2", "a", "b", "zz", "é", "e\u{301}", "10"]
  static let documents = [
    "1", "null", "{}", "[]", "\"a\"", "-0.0", "1e2", "true", #"{"a":1}"#, #"{"a":1.0,"b":"x"}"#,
    #"{"a":2,"b":"y","c":[1,2]}"#,
    #"{"a":"1","b":null}"#, #"{"a":null}"#, #"{"a":{"b":1},"b":"x"}"#, #"{ "a" : [ 1 , {"b":2} ] }"#, #"{"a":1e400}"#,
    #"{"a":9007199254740993}"#, #"{"a":"x\u0000y"}"#, #"{"b":"é","c":"e\u0301"}"#, #"{"a":1,"a":2}"#,
    #"{"b":"\ud800"}"#, #"{"a":-1,"b":false,"c":{}}"#, #"{"a":100,"b":"xyz","c":"q"}"#, #"{"c":[{"a":1},{"a":2}]}"#,
  ]
  private static let patches = [
    #"{"a":null}"#, #"{"a":{"b":2}}"#, #"{"b":"n","c":null}"#, "{}",
    #"[{"op":"add","path":"/a","value":7}]"#, #"[{"op":"remove","path":"/a"}]"#,
    #"[{"op":"test","path":"/a","value":1},{"op":"replace","path":"/a","value":2}]"#,
    #"[{"op":"move","from":"/a","path":"/b"}]"#, #"[{"op":"copy","from":"","path":"/c"}]"#, "[]", "1",
  ]
  private static let settings = [
    #"{"unique":["a"]}"#, #"{"unique":[["a","b"]],"indexes":["c"]}"#, #"{"indexes":[["a","-b"],"c"]}"#,
    #"{"requireIfMatch":true}"#, #"{"expire":60}"#, #"{"expire":1,"unique":["b"]}"#, "{}", #"{"unique":7}"#,
  ]

  func step(_ input: inout FuzzInput) -> Step {
    switch input.choose(16) {
    case 0...3: return .request(write(&input))
    case 4: return .request(read(&input))
    case 5: return .request(page(&input))
    case 6: return .request(Self.query(Self.collection(&input), &input))
    case 7: return .request(batch(&input))
    case 8: return .request(past(&input))
    case 9: return .request(changes(&input))
    case 10: return .request(settings(&input))
    case 11: return .request(original(&input))
    case 12: return .wait(milliseconds: [1, 999, 1_000, 60_000, 61_000][input.choose(5)])
    case 13: return .request(Self.make(.get, ["/_collections/", "/_collections/?count=true&limit=2"][input.choose(2)]))
    default: return .request(free(&input))
    }
  }

  static func make(_ method: Method, _ path: String, _ data: String? = nil, _ headers: Headers? = nil) -> Request {
    Request(method: method, path: ByteBuffer(string: path), data: data.map { ByteBuffer(string: $0) }, headers: headers)
  }

  private static func collection(_ input: inout FuzzInput) -> String { input.element(collections) }

  private static func document(_ input: inout FuzzInput) -> String { collection(&input) + input.element(ids) }

  private func write(_ input: inout FuzzInput) -> Request {
    let path = Self.document(&input)
    let data: String?
    let method: Method
    switch input.choose(8) {
    case 0...3: (method, data) = (.put, input.element(Self.documents))
    case 4, 5: (method, data) = (.patch, input.element(Self.patches))
    case 6: (method, data) = (.delete, nil)
    default:
      // A document of the fuzzer's own.
      let text = String(decoding: input.bytes(input.choose(40)), as: UTF8.self)
      (method, data) = (.put, ReferenceJSON(text.utf8) == nil ? "0" : text)
    }
    return Self.make(method, path, data, headers(&input))
  }

  private func headers(_ input: inout FuzzInput) -> Headers? {
    var headers = Headers()
    switch input.choose(12) {
    case 0: headers.append("If-Match", "\"\(revision(&input))\"")
    case 1: headers.append("If-None-Match", "*")
    case 2: headers.append("If-Match", "*")
    case 3: headers.append("If-None-Match", "\(revision(&input)), W/\"\(revision(&input))\"")
    case 4: headers.append("Expires-In", ["1", "60", "never", "0"][input.choose(4)])
    case 5: headers.append("Idempotency-Key", "\(run)-\(input.choose(3))")
    default: return nil
    }
    if input.choose(4) == 0 { headers.append("Prefer", "dry-run") }
    return headers
  }

  private func revision(_ input: inout FuzzInput) -> Int64 { revision + Int64(input.choose(40)) }

  private func read(_ input: inout FuzzInput) -> Request {
    Self.make(.get, Self.document(&input), nil, headers(&input))
  }

  private func page(_ input: inout FuzzInput) -> Request {
    let limit = ["", "?limit=1", "?limit=2", "?limit=1000", "?limit=0", "?asOf=\(revision(&input))"][input.choose(6)]
    return Self.make(.get, Self.collection(&input) + limit)
  }

  private func past(_ input: inout FuzzInput) -> Request {
    let path = Self.document(&input)
    switch input.choose(4) {
    case 0: return Self.make(.get, path + "?asOf=\(revision(&input))")
    case 1: return Self.make(.get, path + "?history=true" + (input.flip() ? "&limit=2" : ""))
    case 2: return Self.make(.post, path + "?restore=\(revision(&input))", nil, headers(&input))
    default: return Self.make(.get, Self.collection(&input) + "?asOf=\(revision(&input))&limit=2")
    }
  }

  private func changes(_ input: inout FuzzInput) -> Request {
    let more = ["", "&limit=1", "&limit=3", "&where[a]=1"][input.choose(4)]
    return Self.make(.get, "/_changes?since=\(revision(&input))" + more)
  }

  private func settings(_ input: inout FuzzInput) -> Request {
    let path = "/_collections" + Self.collection(&input)
    switch input.choose(4) {
    case 0, 1: return Self.make(.put, path, input.element(Self.settings))
    case 2: return Self.make(.delete, path)
    default: return Self.make(.get, input.flip() ? path : "/_collections/")
    }
  }

  /// The list of the original server; its documents have ids of the store's own, so nothing else shows them.
  private func original(_ input: inout FuzzInput) -> Request {
    switch input.choose(5) {
    case 0, 1: return Self.make(.post, "/item", input.element(Self.documents))
    case 2: return Self.make(.get, "/list")
    case 3: return Self.make(.put, "/item", ["\"a,b\"", "\"b,a\"", "\"a\"", "1", "\",\""][input.choose(5)])
    default: return Self.make(.delete, "/item", input.element(Self.documents))
    }
  }

  private func batch(_ input: inout FuzzInput) -> Request {
    var requests: [String] = []
    for _ in 0..<input.choose(5) {
      let request = input.choose(4) == 0 ? read(&input) : write(&input)
      var text = ByteBuffer()
      text.writeRequest(request, terminated: false)
      requests.append(String(buffer: text))
    }
    let end = ["", ",\"dryRun\":false", ",\"dryRun\":true"][input.choose(3)]
    return Self.make(.post, "/_batch", "{\"requests\":[\(requests.joined(separator: ","))]\(end)}", headers(&input))
  }

  /// What the fuzzer writes itself: a read, with a query string, or data.
  private func free(_ input: inout FuzzInput) -> Request {
    let path = Self.collection(&input) + String(decoding: input.part(), as: UTF8.self)
    let data = String(decoding: input.part(), as: UTF8.self)
    return Self.make(.get, path, ReferenceJSON(data.utf8) == nil ? nil : data)
  }

  // MARK: Queries

  private static let fields = ["a", "b", "c", "a.b", "c.0", "c.a", "@id", "@created", "@updated", "d"]
  private static let values = [
    "1", "1.0", "2", "\"x\"", "\"1\"", "null", "true", "false", "-0", "1e400", "9007199254740992", "9007199254740993",
    "\"\"",
    "\"x\\u0000y\"", "[1,2]", "{\"b\":1}", "\"é\"", "\"zz\"", "\"2027-01-15T08:00:00Z\"", "[]",
  ]

  static func query(_ path: String, _ input: inout FuzzInput) -> Request {
    var members: [String] = []
    if input.choose(8) > 0 { members.append("\"where\":\(condition(&input, depth: 0))") }
    if input.flip() {
      let keys = (0..<input.choose(3) + 1).map { _ in "\"\(input.flip() ? "-" : "")\(input.element(fields))\"" }
      members.append("\"sort\":[\(keys.joined(separator: ","))]")
    }
    switch input.choose(8) {
    case 0: members.append("\"fields\":[\"\(input.element(fields))\",\"\(input.element(fields))\"]")
    case 1: members.append("\"count\":true")
    case 2: members.append("\"count\":true,\"limit\":0")
    case 3: members.append("\"limit\":\(input.choose(4) + 1)")
    case 4:
      let function = ["sum", "min", "max", "avg", "count"][input.choose(5)]
      members.append("\"aggregate\":{\"n\":\"count\",\"s\":{\"\(function)\":\"\(input.element(fields))\"}}")
      if input.flip() { members.append("\"groupBy\":\"\(input.element(fields))\"") }
    case 5: members.append("\"recursive\":true")
    default: break
    }
    let path = input.choose(8) == 0 ? "/_documents" : path
    return make(.get, path, "{\(members.joined(separator: ","))}")
  }

  private static func condition(_ input: inout FuzzInput, depth: Int) -> String {
    let count = input.choose(3) + (depth == 0 ? 1 : 0)
    return "{\((0..<count).map { _ in term(&input, depth: depth) }.joined(separator: ","))}"
  }

  private static func term(_ input: inout FuzzInput, depth: Int) -> String {
    let kind = input.choose(depth < 3 ? 12 : 9)
    switch kind {
    case 9, 10:
      let parts = (0..<input.choose(2) + 1).map { _ in condition(&input, depth: depth + 1) }
      return "\"\(kind == 9 ? "$or" : "$and")\":[\(parts.joined(separator: ","))]"
    case 11: return "\"$not\":\(condition(&input, depth: depth + 1))"
    default: break
    }
    let field = input.element(fields)
    func value() -> String { input.element(values) }
    switch kind {
    case 0, 1: return "\"\(field)\":\(value())"
    case 2: return "\"\(field)\":{\"$in\":[\(value()),\(value()),\(value())]}"
    case 3: return "\"\(field)\":{\"$gte\":\(value()),\"$lt\":\(value())}"
    case 4: return "\"\(field)\":{\"$exists\":\(input.flip())}"
    case 5: return "\"\(field)\":{\"$prefix\":\(value())}"
    case 6: return "\"\(field)\":{\"$contains\":\(value())}"
    case 7: return "\"\(field)\":{\"$not\":{\"$lte\":\(value())}}"
    default:
      let name = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$nin"][input.choose(7)]
      return "\"\(field)\":{\"\(name)\":\(name == "$nin" ? "[\(value())]" : value())}"
    }
  }
}
