import DocketJSON
import DocketService
import DocketStore
import NIOCore
import Testing

@testable import DocketService

@Suite("Pages of queries")
struct QueryPageTests {
  private func stocked(limits: ServiceLimits = ServiceLimits()) async throws -> QueryService {
    let service = try QueryService(limits: limits)
    try await service.put(
      "/n/",
      [
        "1": #"{"s": "open", "p": 2, "author": {"name": "Ada", "age": 36}, "tags": ["x", "y"]}"#,
        "2": #"{"s": "done", "p": 1, "author": {"name": "Bob"}}"#, "3": #"{"s": "open", "p": 2.0}"#,
        "4": #"{"s": "open", "p": null}"#, "5": #"{"s": "open"}"#, "6": #"[{"s": "open"}]"#,
      ])
    try await service.put("/n/1/c/", ["7": #"{"s": "open", "p": 9}"#])
    try await service.put("/m/", ["8": #"{"s": "open", "p": 7}"#])
    return service
  }

  @Test(
    "hold what the conditions want, in the order that is asked for",
    arguments: [
      ("/n/?where[s]=open", "1 3 4 5"), ("/n/?where[s]=open&sort=-p", "3 1 4 5"),
      ("/n/?where[s]=open&sort=p", "5 4 1 3"),
      ("/n/?where[p]=2", "1 3"), ("/n/?where[p]=null", "4"), ("/n/?where[p][$ne]=2", "2 4 5 6"),
      ("/n/?where[p][$exists]=false", "5 6"), ("/n/?where[p][$nin]=[1,null]", "1 3 5 6"),
      ("/n/?where[p][$gte]=1&where[p][$lt]=2", "2"), ("/n/?where[p][$not][$gt]=1", "2 4 5 6"),
      ("/n/?where[author.name][$prefix]=A", "1"), ("/n/?where[tags][$contains]=y", "1"),
      ("/n/?where[s][$contains]=pe", "1 3 4 5"), ("/n/?where[tags.1]=y", "1"), ("/n/?where[0.s]=open", "6"),
      ("/n/?where[$or]=[{\"p\":1},{\"p\":null}]", "2 4"), ("/n/?where[@id][$gt]=4", "5 6"),
      ("/n/?where[@revision][$lte]=2&sort=-@revision", "2 1"), ("/n/?where[@created][$lt]=2020-01-01T00:00:00Z", ""),
      ("/n/?where[@created][$gte]=2020-01-01T00:00:00Z", "1 2 3 4 5 6"),
      ("/n/?recursive=true&where[p][$gt]=1", "1 3 7"),
      ("/_documents?where[p][$gt]=2&sort=p", "8 7"), ("/_documents", "8 1 2 3 4 5 6 7"),
      ("/none/?where[a]=1", ""),
    ])
  func wanted(path: String, ids: String) async throws {
    let answer = await (try stocked()).get(path)
    #expect(answer.code == 200)
    #expect(QueryService.ids(answer.data) == ids)
    #expect(answer.data.hasSuffix(#""next": null}"#))
  }

  @Test("follow each other by their cursors, and the last one says so")
  func cursors() async throws {
    let service = try await stocked()
    for sort in ["p", "-p", "s,-p", "-author.name", "tags", "@updated", "-@id"] {
      for data in [#"{"sort": "\#(sort)", "recursive": true}"#, #"{"sort": "\#(sort)", "recursive": true, "asOf": 8}"#]
      {
        let whole = await service.get("/n/", data)
        for limit in 1...7 {
          var found: [String] = []
          var next: String? = ""
          var pages = 0
          while let after = next {
            let page = await service.get("/n/?limit=\(limit)" + (after.isEmpty ? "" : "&after=\(after)"), data)
            #expect(page.code == 200)
            found.append(QueryService.ids(page.data))
            next = QueryService.next(page.data)
            pages += 1
          }
          #expect(found.joined(separator: " ") == QueryService.ids(whole.data), "\(sort), \(limit)")
          // Where the last page is full, nothing is behind it.
          #expect(pages == (7 + limit - 1) / limit)
        }
      }
    }
  }

  @Test("end early at their size in bytes of documents, whatever is shown of them")
  func bytes() async throws {
    let service = try QueryService(limits: ServiceLimits(pageBytes: 25))
    try await service.put("/b/", ["1": "\"0123456789\"", "2": "\"0123456789\"", "3": "\"0123456789\"", "4": "1"])
    try await service.put("/b/", ["5": "\"\(String(repeating: "x", count: 40))\"", "6": "6"])
    var found: [String] = []
    var next: String? = ""
    while let after = next {
      let page = await service.get("/b/?sort=@id&fields=a" + (after.isEmpty ? "" : "&after=\(after)"))
      found.append(QueryService.ids(page.data))
      next = QueryService.next(page.data)
    }
    #expect(found == ["1 2", "3 4", "5", "6"])
  }

  @Test("are refused where their cursor would be too long to send back, and say by which field")
  func longCursors() async throws {
    let service = try QueryService()
    func long(_ count: Int) -> String { String(repeating: "x", count: count) }
    try await service.put(
      "/l/",
      [
        "1": #"{"s": "a", "t": "\#(long(32_000))"}"#, "2": #"{"s": "b", "t": "\#(long(33_000))"}"#,
        "3": #"{"s": "c", "t": "\#(long(900_000))"}"#, "4": #"{"s": "d"}"#,
      ])
    // The longest that there is can be sent back.
    let short = await service.get("/l/?sort=s,t&limit=1")
    let cursor = try #require(QueryService.next(short.data))
    #expect(QueryService.ids(await service.get("/l/?sort=s,t&after=\(cursor)").data) == "2 3 4")
    for limit in 2...3 {
      for query in ["sort=s,t&limit=\(limit)", "sort=s,-t&limit=\(limit)&count=true&fields=s"] {
        let answer = await service.get("/l/?\(query)")
        #expect(answer.code == 400 && answer.data.contains(#""error": "cursor_too_long""#), "\(query)")
        #expect(answer.data.contains("/l/\(limit)") && answer.data.contains("'t' is too long"), "\(answer.data)")
      }
    }
    // Neither where nothing is behind the page, nor by another sort.
    #expect(QueryService.ids(await service.get("/l/?sort=s,t&limit=4").data) == "1 2 3 4")
    let other = await service.get("/l/?sort=s&limit=3&fields=s")
    #expect(other.code == 200 && QueryService.next(other.data) != nil)
  }

  @Test("refuse cursors that were altered or are of another query")
  func foreignCursors() async throws {
    let service = try await stocked()
    let query = "/n/?sort=p&where[s]=open&limit=1"
    let cursor = try #require(QueryService.next(await service.get(query).data))
    #expect(await service.get(query + "&after=\(cursor)").code == 200)
    #expect(await service.get(query + "&fields=a&limit=3&count=true&explain=true&after=\(cursor)").code == 200)
    for other in [
      "/n/?sort=-p&where[s]=open", "/n/?sort=p&where[s]=done", "/n/?sort=p", "/n/?where[s]=open",
      "/n/?sort=p&where[s][$gte]=open", "/n/?sort=p,s&where[s]=open", "/m/?sort=p&where[s]=open",
      "/n/?sort=p&where[s]=open&recursive=true", "/_documents?sort=p&where[s]=open", "/n/?limit=1",
      "/n/?sort=p&where[s]=open&asOf=8", "/n/?sort=s&where[p]=open",
    ] {
      let answer = await service.get(other + "&after=\(cursor)")
      #expect(answer.code == 400 && answer.data.contains("invalid_cursor"), "\(other)")
    }
    for index in cursor.indices {
      var altered = cursor
      altered.replaceSubrange(index...index, with: altered[index] == "0" ? "1" : "0")
      #expect(await service.get(query + "&after=\(altered)").code == 400, "\(altered)")
    }
    for cut in [String(cursor.dropLast(2)), cursor + "00", String(cursor.dropLast()), "zz"] {
      #expect(await service.get(query + "&after=\(cut)").code == 400)
    }
    let plain = try #require(QueryService.next(await service.get("/n/?limit=1").data))
    #expect(await service.get(query + "&after=\(plain)").code == 400)
  }

  @Test("of the past stay at the revision of the first one")
  func past() async throws {
    let service = try await stocked()
    let query = "/n/?sort=-p&where[s]=open&asOf=8&limit=2"
    let first = await service.get(query)
    #expect(QueryService.ids(first.data) == "3 1" && first.data.hasSuffix(#", "asOf": 8}"#))
    try await service.put("/n/", ["4": #"{"s": "done"}"#, "9": #"{"s": "open"}"#])
    try await service.delete("/n/", "5")
    let cursor = try #require(QueryService.next(first.data))
    #expect(QueryService.ids(await service.get(query + "&after=\(cursor)").data) == "4 5")
    let other = await service.get("/n/?sort=-p&where[s]=open&asOf=9&after=\(cursor)")
    #expect(other.code == 400)
    let counted = await service.get("/n/?where[s]=open&asOf=8&count=true&limit=0")
    #expect(counted.data == #"{"items": [], "next": null, "count": 4, "asOf": 8}"#)
    #expect(await service.get("/n/?where[s]=open&asOf=99").code == 409)
    let groups = await service.get("/n/?aggregate={\"n\":\"count\"}&asOf=8")
    #expect(groups.data == #"{"groups": [{"n": 6}], "next": null, "asOf": 8}"#)
  }

  @Test("tell how many match in all, and how that was found")
  func counts() async throws {
    let service = try await stocked()
    let page = await service.get("/n/?where[s]=open&limit=1&count=true&explain=true")
    #expect(page.data.contains(#", "count": 4, "explain": {"index": null, "sorted": "memory", "scanned": 6}}"#))
    let last = await service.get("/n/?where[s]=none&count=true")
    #expect(last.data == #"{"items": [], "next": null, "count": 0}"#)
    let counted = await service.get("/n/", #"{"count": true, "limit": 0, "explain": true}"#)
    #expect(
      counted.data
        == #"{"items": [], "next": null, "count": 6, "explain": {"index": null, "sorted": null, "scanned": 6}}"#)
  }

  @Test(
    "warn of a scan, and name the index that would help",
    arguments: [
      ("/n/?where[s]=open", #"["s"]"#), ("/n/?sort=-p,s", #"["-p", "s"]"#),
      ("/n/?where[s]=open&sort=-p,s&where[q][$gt]=1", #"["s", "-p"]"#), ("/n/?where[p][$gt]=1", #"["p"]"#),
      ("/n/?where[p][$prefix]=a&where[s]=x&where[q][$lt]=1", #"["s", "p"]"#), ("/n/?where[p][$in]=[1]", #"["p"]"#),
      ("/n/?where[p][$ne]=1", nil), ("/n/?where[$or]=[{\"a\":1},{\"b\":1}]", nil), ("/n/?where[p]=[1]", nil),
      ("/n/?where[p][$contains]=1", nil), ("/n/?sort=@updated", nil),
      ("/n/?sort=@updated,p&where[p][$gt]=1", #"["p"]"#), ("/n/?where[s]=open&sort=@id,p", #"["s"]"#),
      ("/n/?recursive=true&where[s]=open", nil), ("/_documents?sort=s", nil),
      ("/n/?where[s]=open&aggregate={\"n\":\"count\"}", #"["s"]"#), ("/n/?aggregate={\"n\":\"count\"}", nil),
    ] as [(String, String?)])
  func warnings(path: String, index: String?) async throws {
    let warned = await (try stocked(limits: ServiceLimits(scanWarningDocuments: 5))).get(path)
    let ending = index.map { #", "index": \#($0)}}"# } ?? #"."}}"#
    #expect(warned.code == 200 && warned.data.contains(#""warning": {"scanned": "#) && warned.data.hasSuffix(ending))
    let limits = ServiceLimits(refusesScans: true, scanWarningDocuments: 5)
    let refused = await (try stocked(limits: limits)).get(path)
    #expect(refused.code == 400 && refused.data.contains(#""error": "scan_refused""#))
    #expect(refused.data.hasSuffix(index.map { #", "index": \#($0)}"# } ?? #"."}"#))
    // Neither where no more than so many are looked at.
    let many = await (try stocked(limits: ServiceLimits(refusesScans: true, scanWarningDocuments: 8))).get(path)
    #expect(many.code == 200 && !many.data.contains("warning"))
  }

  @Test(
    "that are plain are no scan", arguments: ["/_documents", "/n/?recursive=true", "/n/?count=true", "/n/?fields=a"])
  func plain(path: String) async throws {
    let service = try await stocked(limits: ServiceLimits(refusesScans: true, scanWarningDocuments: 1))
    let answer = await service.get(path)
    #expect(answer.code == 200 && !answer.data.contains("warning"))
  }

  @Test(
    "show of the documents what they are asked for, byte for byte",
    arguments: [
      (#"{"a": 1, "b": 2}"#, #"["a"]"#, #"{"a": 1}"#),
      (#"{"a": 1.0 , "b": 2}"#, #"["b", "a"]"#, #"{"b": 2, "a": 1.0}"#),
      (#"{"a": {"b": {"c": 1, "d": [ 1,2 ]}, "e": 3}}"#, #"["a.b.d"]"#, #"{"a": {"b": {"d": [ 1,2 ]}}}"#),
      (#"{"a": {"b": 1, "c": 2}}"#, #"["a.c", "x", "a.x", "a.b", "y.z"]"#, #"{"a": {"c": 2, "b": 1}}"#),
      (#"{"a": {"b": 1, "c": 2}}"#, #"["a.c", "a"]"#, #"{"a": {"b": 1, "c": 2}}"#),
      (#"{"a": {"b": 1, "c": 2}}"#, #"["a", "a.c"]"#, #"{"a": {"b": 1, "c": 2}}"#),
      (#"{"a": null}"#, #"["a", "b"]"#, #"{"a": null}"#), (#"{"a": 1}"#, #"["b"]"#, "{}"), (#"{"a": 1}"#, "[]", "{}"),
      (#"{"tags": ["x", "y"]}"#, #"["tags.1"]"#, #"{"tags": {"1": "y"}}"#), (#"["x"]"#, #"["0"]"#, "{}"),
      ("7", #"["a"]"#, "{}"), (#" {"a": "\u0061"} "#, #"["a"]"#, #"{"a": "\u0061"}"#),
      (#"{"a": 1, "a": 2}"#, #"["a"]"#, #"{"a": 1}"#), (#"{"q\u00e9\"": 1, "é": 2}"#, #"["é"]"#, #"{"é": 2}"#),
    ])
  func projection(document: String, fields: String, shown: String) async throws {
    let service = try QueryService()
    try await service.put("/p/", ["1": document])
    let answer = await service.get("/p/", #"{"fields": \#(fields)}"#)
    #expect(answer.data.contains(#""document": \#(shown)}], "next": null}"#), "\(answer.data)")
  }

  @Test("have cursors from which every value comes back")
  func cursorValues() throws {
    var query = Fingerprint()
    query.add("a query")
    let texts = [
      "null", "true", "false", "1", "-0", "1e400", "-12345678901234567890.5E-7", "\"\"", "\"a\\u0000b\"", "\"\\ud800\"",
      "\"é😀\"", "\"" + String(repeating: "x", count: 70_000) + "\"", "[1]", "{}",
    ]
    let values = [QueryValue.missing] + texts.map { QueryValue(ByteBuffer(string: $0)) }
    let path = DocumentPath(collection: CollectionPath(unchecked: "/é/x/"), id: "e\u{301}")
    for revision in [nil, Revision(1 << 40)] {
      let text = QueryCursor(Query.Position(values: values, path: path), asOf: revision).text(of: query)
      let cursor = try #require(QueryCursor(text, of: query, keys: values.count, isOfPast: revision != nil))
      #expect(cursor.position.path == path && cursor.revision == revision)
      for (value, read) in zip(values, cursor.position.values) {
        #expect(value.rank == read.rank && value.order(to: read) == 0)
      }
      #expect(QueryCursor(text, of: query, keys: values.count + 1, isOfPast: revision != nil) == nil)
      #expect(QueryCursor(text, of: Fingerprint(), keys: values.count, isOfPast: revision != nil) == nil)
    }
  }
}
