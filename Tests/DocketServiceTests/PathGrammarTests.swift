import DocketService
import DocketStore
import NIOCore
import Testing

@Suite struct PathGrammarTests {
  private func resource(_ path: String) throws(PathError) -> Resource {
    try Target(path: ByteBuffer(string: path)).resource
  }

  private func document(_ collection: String, _ id: String) -> Resource {
    .document(DocumentPath(collection: CollectionPath(unchecked: collection), id: id))
  }

  @Test("The original routes are themselves, and nothing near them is")
  func original() throws {
    #expect(try resource("/") == .root)
    #expect(try resource("/echo") == .echo)
    #expect(try resource("/list") == .list)
    #expect(try resource("/item") == .item)
    #expect(try resource("/item/") == .collection(CollectionPath(unchecked: "/item/")))
  }

  @Test("What is no path of ours is unknown", arguments: ["", "notes", "/notes", "/anything", "?", "/%zz"])
  func unknown(_ path: String) throws {
    #expect(try resource(path) == .unknown)
  }

  @Test("Two segments are a document, a slash at the end makes a collection")
  func documents() throws {
    #expect(try resource("/notes/42") == document("/notes/", "42"))
    #expect(try resource("/users/7/orders/9") == document("/users/7/orders/", "9"))
    #expect(try resource("/users/7/orders/") == .collection(CollectionPath(unchecked: "/users/7/orders/")))
    #expect(try resource("/a/.../x.y") == document("/a/.../", "x.y"))
  }

  @Test("Segments are percent-decoded, once")
  func percent() throws {
    #expect(try resource("/n%6Ftes/%C3%A9%2525") == document("/notes/", "é%25"))
    #expect(try resource("/notes/é") == document("/notes/", "é"))
    #expect(try resource("/notes/a%3Fb") == document("/notes/", "a?b"))
  }

  @Test("Two normal forms of a text are two documents")
  func normalForms() throws {
    #expect(try resource("/n/\u{e9}") != resource("/n/e\u{301}"))
  }

  @Test(
    "Each way to break the grammar has its own error",
    arguments: [
      ("/a//b", PathError.emptySegment), ("//a", .emptySegment), ("/a//", .emptySegment), ("/a/./b", .dotSegment),
      ("/a/..", .dotSegment), ("/../a", .dotSegment), ("/a/%2e%2E", .dotSegment), ("/a/b%2Fc", .slashInSegment),
      ("/a/b%2fc", .slashInSegment), ("/a/b\u{1}", .controlCharacter), ("/a/%00", .controlCharacter),
      ("/a/\u{7f}", .controlCharacter), ("/a/\0", .controlCharacter), ("/a/%", .percentEncoding),
      ("/a/%4", .percentEncoding), ("/a/%4g", .percentEncoding), ("/a/%FF", .invalidUTF8),
      ("/a/%C3", .invalidUTF8), ("/a/b?x=%C3", .invalidUTF8),
    ])
  func broken(_ path: String, _ error: PathError) {
    #expect(throws: error) { try resource(path) }
  }

  @Test("A path has 1,024 bytes at most, counted once decoded")
  func length() throws {
    let longest = "/a/" + String(repeating: "x", count: 1021)
    #expect(try resource(longest) == document("/a/", String(repeating: "x", count: 1021)))
    #expect(throws: PathError.tooLong) { try resource(longest + "x") }
    let encoded = "/a/" + String(repeating: "%78", count: 1021)
    #expect(try resource(encoded) == document("/a/", String(repeating: "x", count: 1021)))
    #expect(throws: PathError.tooLong) { try resource(encoded + "%78") }
    #expect(throws: PathError.tooLong) { try resource("/" + String(repeating: "x", count: 1023) + "/") }
  }

  @Test("Paths under /_ are the service's own")
  func reserved() throws {
    #expect(try resource("/_health") == .health)
    #expect(try resource("/_ready") == .ready)
    #expect(try resource("/_stats") == .stats)
    #expect(try resource("/_anything/else") == .reserved)
    #expect(try resource("/%5Fanything/else") == .reserved)
    #expect(try resource("/%5f/") == .reserved)
    #expect(try resource("/a/_b") == document("/a/", "_b"))
  }

  @Test("Parameters behind the ? are decoded as forms are")
  func parameters() throws {
    let target = try Target(path: ByteBuffer(string: "/notes/?limit=20&a+b=c%3Dd+e&flag&&x="))
    #expect(target.parameters.map(\.name) == ["limit", "a b", "flag", "x"])
    #expect(target.parameters.map(\.value) == ["20", "c=d e", "", ""])
  }

  @Test("There are 256 parameters at most")
  func manyParameters() throws {
    let most = "/notes/?" + String(repeating: "&a=1", count: 256)
    #expect(try Target(path: ByteBuffer(string: most)).parameters.count == 256)
    #expect(throws: PathError.tooManyParameters) { try Target(path: ByteBuffer(string: most + "&a=1")) }
  }
}
