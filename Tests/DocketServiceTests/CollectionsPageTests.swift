import DocketTestSupport
import Testing

@testable import DocketService

@Suite("Pages of collections")
struct CollectionsPageTests {
  @Test("follow each other by their cursors, and tell what each collection holds")
  func pages() async throws {
    let service = try QueryService()
    for name in ["/a/", "/b/", "/b/1/c/"] { try await service.put(name, ["1": "10", "2": "[]"]) }
    var found: [String] = []
    var next: String? = ""
    while let after = next, found.count < 9 {
      let answer = await service.get("/_collections/?count=true&limit=2\(after.isEmpty ? "" : "&after=\(after)")")
      #expect(answer.code == 200)
      #expect(answer.data.contains(#""documents": 2, "bytes": 4, "updated": "2"#))
      found += answer.data.components(between: #""collection": ""#, and: "\"")
      next = QueryService.next(answer.data)
    }
    #expect(found == ["/a/", "/b/", "/b/1/c/"])
  }

  @Test("are refused where they are asked for in another way")
  func refusals() async throws {
    let service = try QueryService()
    for (query, error) in [
      ("count=maybe", "invalid_query"), ("count=true&limit=0", "invalid_limit"),
      ("count=true&after=ab", "invalid_cursor"), ("count=true&sort=bytes", "unknown_parameter"),
    ] {
      let answer = await service.get("/_collections/?\(query)")
      #expect(answer.code == 400)
      #expect(answer.data.contains(error))
    }
    #expect(await service.get("/_collections/?count=false").data == #"{"items": []}"#)
  }
}
