import DocketService
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@Suite("The language of queries")
struct QueryLanguageTests {
  private func error(_ path: String, _ data: String?) -> String? { error(.get, path, data) }

  private func error(
    _ method: DocketWire.Method, _ path: String, _ data: String?, _ headers: Headers? = nil
  ) -> String? {
    guard case .answer(let response) = QueryService.operation(method, path, data, headers),
      response.status == .badRequest
    else { return nil }
    return response.data.flatMap { String(buffer: $0).components(between: "{\"error\": \"", and: "\"").first }
  }

  private static let deep =
    String(repeating: "{\"$not\": ", count: 16) + "{\"a\": 1}" + String(repeating: "}", count: 16)
  private static let manyTests = "[" + Array(repeating: "{\"a\": 1}", count: 65).joined(separator: ",") + "]"
  private static let manyNothings = "[" + Array(repeating: "{}", count: 65).joined(separator: ",") + "]"
  private static func numbers(_ count: Int) -> String {
    "[" + (0..<count).map(String.init).joined(separator: ",") + "]"
  }

  static let errors: [(data: String, code: String)] = [
    (#"{"were": {}}"#, "unknown_parameter"), (#"{"where": {}, "Sort": "a"}"#, "unknown_parameter"),
    (#"{"where": 1}"#, "invalid_query"), (#"{"where": [{"a": 1}]}"#, "invalid_query"),
    (#"{"where": {"a": {"$gt": 1, "b": 2}}}"#, "invalid_query"),
    (#"{"where": {"a": {"b": 2, "$gt": 1}}}"#, "invalid_query"),
    (#"{"where": {"a": {"$foo": 1}}}"#, "unknown_operator"), (#"{"where": {"a": {"$or": []}}}"#, "unknown_operator"),
    (#"{"where": {"$gt": 1}}"#, "unknown_operator"), (#"{"where": {"$nor": []}}"#, "unknown_operator"),
    (#"{"where": {"a": {"$gt": [1]}}}"#, "invalid_query"), (#"{"where": {"a": {"$lte": {}}}}"#, "invalid_query"),
    (#"{"where": {"a": {"$in": 1}}}"#, "invalid_query"), (#"{"where": {"a": {"$nin": {"a": 1}}}}"#, "invalid_query"),
    (#"{"where": {"a": {"$exists": 1}}}"#, "invalid_query"), (#"{"where": {"a": {"$exists": null}}}"#, "invalid_query"),
    (#"{"where": {"a": {"$prefix": 1}}}"#, "invalid_query"), (#"{"where": {"$and": []}}"#, "invalid_query"),
    (#"{"where": {"$or": {}}}"#, "invalid_query"), (#"{"where": {"$or": [1]}}"#, "invalid_query"),
    (#"{"where": {"$not": [{"a": 1}]}}"#, "invalid_query"), (#"{"where": {"$not": 1}}"#, "invalid_query"),
    (#"{"where": \#(deep)}"#, "too_many_conditions"), (#"{"where": {"$or": \#(manyTests)}}"#, "too_many_conditions"),
    (#"{"where": {"$or": \#(manyNothings)}}"#, "too_many_conditions"),
    (#"{"where": {"a": {"$in": \#(numbers(1001))}}}"#, "too_many_conditions"),
    (#"{"where": {"": 1}}"#, "invalid_field"), (#"{"where": {"a..b": 1}}"#, "invalid_field"),
    (#"{"where": {".a": 1}}"#, "invalid_field"), (#"{"where": {"a.": 1}}"#, "invalid_field"),
    (#"{"where": {"@": 1}}"#, "invalid_field"), (#"{"where": {"@expires": 1}}"#, "invalid_field"),
    (#"{"where": {"a.@id": 1}}"#, "invalid_field"), (#"{"where": {"a.$b": 1}}"#, "invalid_field"),
    (#"{"where": {"\#(String(repeating: "x", count: 257))": 1}}"#, "invalid_field"),
    (#"{"where": {"\#(Array(repeating: "x", count: 17).joined(separator: "."))": 1}}"#, "invalid_field"),
    (#"{"where": {"@id": 1}}"#, "invalid_query"), (#"{"where": {"@id": {"$in": ["a", 1]}}}"#, "invalid_query"),
    (#"{"where": {"@created": 1}}"#, "invalid_query"), (#"{"where": {"@updated": {"$gt": "2026"}}}"#, "invalid_query"),
    (#"{"where": {"@updated": null}}"#, "invalid_query"), (#"{"where": {"@revision": "1"}}"#, "invalid_query"),
    (#"{"where": {"@created": {"$prefix": "2026"}}}"#, "invalid_query"),
    (#"{"where": {"@revision": {"$contains": 1}}}"#, "invalid_query"),
    (#"{"where": {"$text": "\#(Array(repeating: "a", count: 33).joined(separator: " OR "))"}}"#, "invalid_query"),
    (#"{"sort": 1}"#, "invalid_query"), (#"{"sort": ["a", 1]}"#, "invalid_query"), (#"{"sort": ""}"#, "invalid_field"),
    (#"{"sort": "-"}"#, "invalid_field"), (#"{"sort": ["a", "$b"]}"#, "invalid_field"),
    (#"{"sort": "a,b,c,d,e,f,g,h,i"}"#, "invalid_query"), (#"{"fields": {"a": 1}}"#, "invalid_query"),
    (#"{"fields": ["@id"]}"#, "invalid_field"), (#"{"fields": "a,,b"}"#, "invalid_field"),
    (#"{"fields": [\#(Array(repeating: "\"a\"", count: 65).joined(separator: ","))]}"#, "invalid_query"),
    (#"{"sort": "\#(String(repeating: ",", count: 100_000))"}"#, "invalid_query"),
    (#"{"fields": "\#(String(repeating: "a,", count: 64))"}"#, "invalid_query"),
    (#"{\#((0...256).map { "\"x\($0)\": null" }.joined(separator: ","))}"#, "invalid_query"),
    (#"{"where": {\#(Array(repeating: "\"a\": 1", count: 65).joined(separator: ","))}}"#, "too_many_conditions"),
    (#"{"sort": "a", "limit": 0}"#, "invalid_limit"), (#"{"count": true, "limit": 1001}"#, "invalid_limit"),
    (#"{"count": true, "limit": -1}"#, "invalid_limit"), (#"{"count": 1}"#, "invalid_query"),
    (#"{"count": "true"}"#, "invalid_query"), (#"{"recursive": 0}"#, "invalid_query"),
    (#"{"explain": "yes"}"#, "invalid_query"), (#"{"sort": "a", "after": "00"}"#, "invalid_cursor"),
    (#"{"sort": "a", "after": ""}"#, "invalid_cursor"), (#"{"sort": "a", "asOf": "x"}"#, "invalid_moment"),
    (#"{"groupBy": "a"}"#, "invalid_query"), (#"{"aggregate": {}}"#, "invalid_query"),
    (#"{"aggregate": "count"}"#, "invalid_query"), (#"{"aggregate": {"n": "sum"}}"#, "invalid_query"),
    (#"{"aggregate": {"n": {"sum": 1}}}"#, "invalid_query"),
    (#"{"aggregate": {"n": {"median": "a"}}}"#, "invalid_query"),
    (#"{"aggregate": {"n": {"min": "a", "max": "a"}}}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count", "n": "count"}}"#, "invalid_query"),
    (#"{"aggregate": {"group": "count"}}"#, "invalid_query"),
    (#"{"aggregate": {"n": {"min": ".a"}}}"#, "invalid_field"),
    (#"{"aggregate": {"n": {"sum": "@created"}}}"#, "invalid_query"),
    (#"{"aggregate": {\#((0...16).map { "\"n\($0)\": \"count\"" }.joined(separator: ","))}}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "groupBy": ["a"]}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "groupBy": "@x"}"#, "invalid_field"),
    (#"{"aggregate": {"n": "count"}, "sort": "a"}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "fields": "a"}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "limit": 1}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "after": "00"}"#, "invalid_query"),
    (#"{"aggregate": {"n": "count"}, "count": true}"#, "invalid_query"),
    (#"[1]"#, "invalid_query"), (#"{"sort": "\ud800"}"#, "invalid_query"),
    (#"{"where": {"$text": 1}}"#, "invalid_query"), (#"{"where": {"$text": ["a"]}}"#, "invalid_query"),
    (#"{"where": {"$text": ""}}"#, "invalid_query"), (#"{"where": {"$text": "a\u0000b"}}"#, "invalid_query"),
    (#"{"where": {"$text": "\ud800"}}"#, "invalid_query"), (#"{"where": {"$text": null}}"#, "invalid_query"),
    (#"{"where": {"$text": "\#(String(repeating: "x", count: 4097))"}}"#, "invalid_query"),
    (#"{"where": {"$text": "\#(String(repeating: "é", count: 2049))"}}"#, "invalid_query"),
    (#"{"where": {"$text": "a", "$text": "b"}}"#, "invalid_query"),
    (#"{"where": {"$text": "a", "$and": [{"$text": "b"}]}}"#, "invalid_query"),
    (#"{"where": {"$or": [{"$text": "a"}]}}"#, "invalid_query"),
    (#"{"where": {"$not": {"$text": "a"}}}"#, "invalid_query"),
    (#"{"where": {"$and": [{"$or": [{"$and": [{"$text": "a"}]}]}]}}"#, "invalid_query"),
    (#"{"where": {"title": {"$text": "a"}}}"#, "invalid_query"),
    (#"{"where": {"title": {"$not": {"$text": "a"}}}}"#, "invalid_query"),
    (#"{"where": {"$text": "a"}, "recursive": true}"#, "invalid_query"),
    (#"{"where": {"$text": "a"}, "asOf": 1}"#, "invalid_query"),
    (#"{"where": {"$text": "a"}, "asOf": 1, "aggregate": {"n": "count"}}"#, "invalid_query"),
    (#"{"where": {"$text": "a"}, "after": "00"}"#, "invalid_cursor"),
  ]

  @Test(
    "What there may be at most of anything is taken",
    arguments: [
      #"{\#((0..<255).map { "\"x\($0)\": null" }.joined(separator: ",")), "limit": 1}"#,
      #"{"where": {\#(Array(repeating: "\"a\": 1", count: 64).joined(separator: ","))}}"#,
      #"{"where": \#(String(repeating: "{\"$not\": ", count: 15) + "{\"a\": 1}" + String(repeating: "}", count: 15))}"#,
      #"{"where": {"a": {"$in": \#(numbers(1_000))}}}"#,
      #"{"where": {"\#(String(repeating: "x", count: 256))": 1}}"#,
      #"{"where": {"\#(Array(repeating: "x", count: 16).joined(separator: "."))": 1}}"#,
      #"{"where": {"$text": "\#(String(repeating: "x", count: 4_096))"}}"#,
      #"{"where": {"$text": "\#(Array(repeating: "a", count: 32).joined(separator: " OR "))"}}"#,
      #"{"sort": "a,b,c,d,e,f,g,h"}"#,
      #"{"fields": [\#((0..<64).map { "\"a\($0)\"" }.joined(separator: ","))]}"#,
      #"{"aggregate": {\#((0..<16).map { "\"n\($0)\": \"count\"" }.joined(separator: ","))}}"#,
    ])
  func most(data: String) {
    #expect(error("/notes/", data) == nil)
  }

  @Test("Each way to get it wrong has its code, in a collection and everywhere", arguments: errors)
  func refuses(data: String, code: String) {
    #expect(error("/notes/", data) == code)
    #expect(error("/_documents", data) == code)
  }

  @Test(
    "So it has behind the ?",
    arguments: [
      ("where[a", "invalid_query"), ("where[a]x=1", "invalid_query"), ("where[a][b]=1", "invalid_query"),
      ("where[$or][0][a]=1", "invalid_query"), ("where[]=1", "invalid_field"), ("where[a][]=1", "invalid_query"),
      ("where[a][$in]=1,2", "invalid_query"), ("where[a][$foo]=1", "unknown_operator"), ("where=x", "invalid_query"),
      ("sort=", "invalid_field"), ("explain", "invalid_query"), ("wher=1", "unknown_parameter"),
      ("count=true&limit=x", "invalid_limit"), ("aggregate=count", "invalid_query"),
      ("where[$text]=", "invalid_query"), ("where[$text]=a&where[$text]=b", "invalid_query"),
      ("where[title][$text]=a", "invalid_query"), ("where[$not][$text]=a", "invalid_query"),
    ])
  func refusesBehindTheMark(parameters: String, code: String) {
    #expect(error("/notes/?" + parameters, nil) == code)
  }

  @Test("A condition on revisions names 1,000 at most")
  func manyRevisions() {
    func error(_ name: String, _ count: Int) -> String? {
      let list = Array(repeating: "1", count: count).joined(separator: ",")
      return self.error(.get, "/notes/1", nil, Headers([(name, list)]))
    }
    for name in ["If-Match", "If-None-Match"] {
      #expect(error(name, 1_000) == nil)
      #expect(error(name, 1_001) == "invalid_condition")
    }
  }

  @Test("Settings name no more indexes, nor fields in one, than there may be")
  func manyIndexes() {
    func error(_ setting: String, _ count: Int, one: String) -> String? {
      let list = (0..<count).map { one.replacing("#", with: "f\($0)") }.joined(separator: ",")
      return self.error(.put, "/_collections/notes/", "{\"\(setting)\": [\(list)]}")
    }
    #expect(error("indexes", 64, one: "\"#\"") == nil)
    #expect(error("indexes", 65, one: "\"#\"") == "too_many_indexes")
    #expect(error("unique", 50_000, one: "\"#\"") == "too_many_indexes")
    #expect(error("text", 50_000, one: "\"#\"") == "invalid_settings")
    let wide = (0..<50_000).map { "\"f\($0)\"" }.joined(separator: ",")
    #expect(self.error(.put, "/_collections/notes/", "{\"indexes\": [[\(wide)]]}") == "invalid_settings")
  }

  @Test("/_documents is always recursive, and has no other method than GET")
  func documents() async throws {
    #expect(error("/_documents", #"{"recursive": false}"#) == "invalid_query")
    #expect(error("/_documents?recursive=true", nil) == nil)
    let service = try QueryService()
    let answer = await service.ask(.post, "/_documents", "{}")
    #expect(answer.code == 405 && answer.data.contains("GET"))
  }

  @Test(
    "What stands behind the ? means what the same object in data means",
    arguments: [
      ("where[status]=open", #"{"where": {"status": "open"}}"#),
      ("where[n]=1&where[m]=-1.50e3", #"{"where": {"n": 1, "m": -1.50e3}}"#),
      ("where[n]=true&where[m]=null", #"{"where": {"n": true, "m": null}}"#),
      ("where[n]=\"1\"", #"{"where": {"n": "1"}}"#), ("where[n]=\"1", #"{"where": {"n": "\"1"}}"#),
      ("where[n]=+1", #"{"where": {"n": " 1"}}"#), ("where[n]=01", #"{"where": {"n": "01"}}"#),
      ("where[n]=", #"{"where": {"n": ""}}"#), ("where[n]=[1", #"{"where": {"n": "[1"}}"#),
      ("where[n]=[1]", #"{"where": {"n": [1]}}"#),
      ("where[n][$gte]=1&where[n][$lt]=5", #"{"where": {"n": {"$gte": 1, "$lt": 5}}}"#),
      ("where[author.name][$prefix]=A%26b", #"{"where": {"author.name": {"$prefix": "A&b"}}}"#),
      ("where[tags][$in]=[\"a\",\"b\"]", #"{"where": {"tags": {"$in": ["a","b"]}}}"#),
      ("where[n][$prefix]=20&where[@id][$in]=[\"1\"]", #"{"where": {"n": {"$prefix": "20"}, "@id": {"$in": ["1"]}}}"#),
      ("where[@id]=42&where[@id][$exists]=true", #"{"where": {"@id": "42", "@id": {"$exists": true}}}"#),
      ("where[a][$not][$gt]=3", #"{"where": {"a": {"$not": {"$gt": 3}}}}"#),
      (
        "where[$or]=[{\"a\":1},{\"b\":{\"$exists\":false}}]",
        #"{"where": {"$or": [{"a": 1}, {"b": {"$exists": false}}]}}"#
      ),
      ("where[$text]=swift NOT nio&where[n]=1", #"{"where": {"$text": "swift NOT nio", "n": 1}}"#),
      // An expression stands there as it is, whatever it looks like.
      ("where[$text]=2030", #"{"where": {"$text": "2030"}}"#),
      ("where[$text]=\"a b\"", #"{"where": {"$text": "\"a b\""}}"#),
      ("where={\"$text\":\"a\"}", #"{"where": {"$text": "a"}}"#),
      ("where[$and]=[{\"$text\":\"a\"},{\"n\":1}]", #"{"where": {"$and": [{"$text": "a"}, {"n": 1}]}}"#),
      ("where[$not]={\"a\":1}", #"{"where": {"$not": {"a": 1}}}"#),
      ("where={\"a\":1}&where[b]=2", #"{"where": {"a": 1, "b": 2}}"#),
      ("where%5Ba%5D=1", #"{"where": {"a": 1}}"#),
      ("sort=-priority,created", #"{"sort": ["-priority", "created"]}"#), ("sort=[\"a\"]", #"{"sort": "a"}"#),
      ("sort=1", #"{"sort": ["1"]}"#),
      ("fields=title,author.name&limit=20", #"{"fields": ["title", "author.name"], "limit": 20}"#),
      ("count=true&limit=0", #"{"count": true, "limit": 0}"#),
      ("recursive=true&explain=true", #"{"recursive": true, "explain": true}"#),
      ("sort=a&asOf=7", #"{"sort": "a", "asOf": 7}"#),
      ("aggregate={\"n\":\"count\"}&groupBy=a", #"{"aggregate": {"n": "count"}, "groupBy": "a"}"#),
    ])
  func twoForms(parameters: String, data: String) {
    let first = "\(QueryService.operation(.get, "/notes/?" + parameters))"
    #expect(first.hasPrefix("query("))
    #expect(first == "\(QueryService.operation(.get, "/notes/", data))")
  }

  @Test("What stands behind the ? counts over the same name in data, and null is as if it were not there")
  func precedence() {
    let expected = "\(QueryService.operation(.get, "/notes/", #"{"where": {"a": 1}, "limit": 5}"#))"
    let both = QueryService.operation(.get, "/notes/?where[a]=1", #"{"where": {"b": 2}, "limit": 5, "sort": null}"#)
    #expect("\(both)" == expected)
  }

  @Test("Nothing but limit, after and asOf asks for a part of a collection as it lies")
  func plainPages() {
    for data in [nil, "null", "{}", #"{"limit": "5", "where": null, "sort": null}"#] {
      guard case .document(.readPage) = QueryService.operation(.get, "/notes/", data) else {
        Issue.record("\(data ?? "nothing")")
        continue
      }
    }
    guard case .past(.readPage) = QueryService.operation(.get, "/notes/?asOf=7") else {
      Issue.record("asOf")
      return
    }
  }

  @Test("Words are searched in one collection, whose settings say in which fields")
  func text() async throws {
    #expect(error("/_documents", #"{"where": {"$text": "a"}}"#) == "invalid_query")
    let service = try QueryService()
    for data in [
      #"{"where": {"$text": "a"}}"#, #"{"where": {"$text": "a"}, "limit": 0, "count": true}"#,
      #"{"where": {"$text": "a"}, "sort": "title"}"#, #"{"where": {"$text": "a"}, "aggregate": {"n": "count"}}"#,
    ] {
      let answer = await service.get("/notes/", data)
      #expect(answer.code == 400 && answer.data.contains(#""error": "no_text_index""#), "\(answer.data)")
      #expect(answer.data.contains("PUT /_collections/notes/ with {\\\"text\\\": "))
    }
  }

  @Test("A query is a read of the store, and no part of a batch")
  func kind() async throws {
    let operation = QueryService.operation(.get, "/notes/?sort=a")
    #expect(operation.kind == .read && operation.document == nil)
    let service = try QueryService()
    for path in ["/notes/?sort=a", "/_documents"] {
      let batch = await service.ask(.post, "/_batch", #"{"requests": [{"method": "GET", "path": "\#(path)"}]}"#)
      #expect(batch.code == 400 && batch.data.contains("not_in_batch"))
    }
  }

  @Test("Whatever is asked, the answer is a query or a refusal that says why")
  func anything() {
    var generator = SeededGenerator.forTest(named: "anything asked")
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &generator)] }
    let names = [
      "where", "sort", "fields", "limit", "after", "count", "aggregate", "groupBy", "$and", "$or", "$not", "$in", "$gt",
      "$prefix", "$contains", "$exists", "$text", "a", "a.b", "@id", "@created", "@x", "", "sum", "min", "recursive",
      "asOf",
    ]
    func json(_ depth: Int) -> String {
      let count = Int.random(in: 0...3, using: &generator)
      switch Int.random(in: 0..<(depth < 5 ? 10 : 4), using: &generator) {
      case 0: return pick(["1", "-2.5e3", "0", "1e999", "true", "false", "null"])
      case 1...3:
        return pick([#""a""#, #""count""#, #""-a""#, #""\u0000""#, #""\ud800""#, #""2026-01-01T00:00:00Z""#, #""00""#])
      case 4, 5: return "[" + (0..<count).map { _ in json(depth + 1) }.joined(separator: ",") + "]"
      default:
        return "{" + (0..<count).map { _ in "\"\(pick(names))\":\(json(depth + 1))" }.joined(separator: ",") + "}"
      }
    }
    var queries = 0
    for _ in 0..<6_000 {
      let inPath = (0..<Int.random(in: 0...2, using: &generator)).map { _ in
        let name = pick(names)
        return pick([name, "where[\(pick(names))]", "where[a][\(name)]", "where[", "where[a"]) + "=" + json(4)
      }
      let path = pick(["/n/", "/_documents"]) + "?" + inPath.joined(separator: "&")
      let data = pick([json(0), "{\"where\": {\"a\": \(json(2))}}"])
      switch QueryService.operation(.get, path, data) {
      case .query: queries += 1
      case .answer(let response):
        #expect(response.status == .badRequest && response.data?.readableBytes ?? 0 > 30, "\(path)")
      case .document, .past: break
      default: Issue.record("\(path)")
      }
    }
    #expect(queries > 200)
  }
}
