import DocketTestSupport
import Testing

@testable import DocketService

@Suite("The list of tokens")
struct TokenPageTests {
  private static func service(_ count: Int) async throws -> QueryService {
    let service = try QueryService()
    for number in 0..<count {
      let made = await service.ask(.post, "/_tokens/", "{\"name\": \"t\(number)\", \"allow\": [\"stats\"]}")
      #expect(made.code == 201)
    }
    return service
  }

  private static func next(_ data: String) -> String? {
    data.hasSuffix("\"next\": null}") ? nil : data.components(between: "\"next\": \"", and: "\"").last
  }

  @Test("comes in pages, each token once, and the last page says that it is that", arguments: [1, 2, 3, 5, 7, 1_000])
  func pages(limit: Int) async throws {
    let service = try await Self.service(6)
    var names: [String] = []
    var path = "/_tokens/?limit=\(limit)"
    var count = 0
    while true {
      let page = await service.get(path)
      #expect(page.code == 200)
      let found = page.data.components(between: "\"name\": \"", and: "\"")
      #expect(found.count == min(limit, 6 - names.count))
      names += found
      count += 1
      guard let next = Self.next(page.data) else { break }
      path = "/_tokens/?limit=\(limit)&after=\(next)"
    }
    #expect(names.sorted() == (0..<6).map { "t\($0)" })
    #expect(count == (6 + limit - 1) / limit)
    // As all lists take their parameters.
    #expect(await service.get("/_tokens/", "{\"limit\": 1000}").data == service.get("/_tokens/").data)
  }

  @Test("says what is wrong with what it is asked with")
  func wrong() async throws {
    let service = try await Self.service(3)
    let page = await service.get("/_tokens/?limit=1")
    let cursor = try #require(Self.next(page.data))
    for (path, code) in [
      ("limit=0", "invalid_limit"), ("limit=1001", "invalid_limit"), ("limit=x", "invalid_limit"),
      ("after=x", "invalid_cursor"), ("after=\(cursor)00", "invalid_cursor"),
      ("after=\(Cursor(id: "t1", in: .init(unchecked: "/notes/")).text)", "invalid_cursor"),
      ("page=2", "unknown_parameter"),
    ] {
      let answer = await service.get("/_tokens/?\(path)")
      #expect(answer.code == 400 && answer.data.contains("\"\(code)\""), "\(path): \(answer)")
    }
    let data = await service.get("/_tokens/", "[]")
    #expect(data.code == 400 && data.data.contains("invalid_query"))
    let post = await service.ask(.post, "/_tokens/?limit=1", #"{"name": "x", "allow": ["stats"]}"#)
    #expect(post.code == 400 && post.data.contains("unknown_parameter"))
  }
}
