import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("A table of watches")
struct WatchTableTests {
  private let outlet = WatchHub(InMemoryRepository(), limits: WatchLimits()).makeOutlet(
    WatchPort(execute: { $0() }, pause: { $0() }))

  private func watch(_ path: String, _ name: String) throws -> Watch {
    let request = Request(
      method: .get, path: ByteBuffer(string: path + (path.contains("?") ? "&" : "?") + "watch=true"), data: nil)
    guard case .watch(let watch) = Router(limits: WireLimits()).operation(for: request) else {
      throw Missing(what: path)
    }
    return Watch(watch, id: ByteBuffer(string: "\"\(name)\""), name: name, position: Revision(0), outlet: outlet)
  }

  private struct Missing: Error { let what: String }

  private static func interested(_ table: WatchTable, _ collection: String, _ id: String) -> Bool {
    table.withInterest { interest in
      // Twice, since what is found of a collection is kept.
      let first = Array(collection.utf8).withUnsafeBytes { a in Array(id.utf8).withUnsafeBytes { interest(a, $0) } }
      let second = Array(collection.utf8).withUnsafeBytes { a in Array(id.utf8).withUnsafeBytes { interest(a, $0) } }
      #expect(first == second)
      return first
    }
  }

  private static func found(_ table: WatchTable, _ collection: String, _ id: String) -> Set<String> {
    var names: Set<String> = []
    table.forEachWatch(of: DocumentPath(collection: CollectionPath(unchecked: collection), id: id)) {
      names.insert($0.name)
    }
    return names
  }

  @Test("Conditions look through no more of a change than takes a moment; the other watches go on elsewhere")
  func examined() throws {
    var table = WatchTable()
    let tests = (0..<64).map { "{\"a\(max($0, 1))\":1}" }.joined(separator: ",")
    for number in 0..<10 { table.insert(try watch("/a/?where[$or]=[\(tests)]", "\(number)")) }
    table.insert(try watch("/a/", "all"))
    let document = Document(
      path: DocumentPath("/a/", "1"), revision: Revision(1), created: Timestamp(milliseconds: 1),
      updated: Timestamp(milliseconds: 1), data: ByteBuffer(string: "\"\(String(repeating: "x", count: 1 << 20))\""))
    let change = Change(
      sequence: Revision(1), kind: .created, path: document.path, at: Timestamp(milliseconds: 1), batch: nil,
      document: document, before: nil)
    var round = LiveRound(history: ByteBuffer())
    #expect(!round.isFull)
    round.tell(change, to: table)
    #expect(round.isFull)
    #expect(round.paused.map(\.name) == (1..<10).map(String.init))
    let deliveries = round.finish()
    #expect(deliveries.count == 1 && deliveries[0].delivery.frames.count == 1)
    #expect(round.paused.allSatisfy { $0.position == Revision(0) })
  }

  @Test("finds those of a document, its collection, the trees above it and of everything, and no others")
  func scopes() throws {
    var table = WatchTable()
    let watches = try [
      watch("/a/1", "document"), watch("/a/", "collection"), watch("/a/?recursive=true", "tree"),
      watch("/a/1/b/?recursive=true", "inner"), watch("/ab/", "other"), watch("/a/2", "second"),
    ]
    for watch in watches { table.insert(watch) }
    #expect(Self.found(table, "/a/", "1") == ["document", "collection", "tree"])
    #expect(Self.found(table, "/a/", "3") == ["collection", "tree"])
    #expect(Self.found(table, "/a/1/b/", "1") == ["tree", "inner"])
    #expect(Self.found(table, "/a/1/b/c/", "1") == ["tree", "inner"])
    #expect(Self.found(table, "/ab/", "1") == ["other"])
    #expect(Self.found(table, "/abc/", "1").isEmpty)
    #expect(Self.interested(table, "/a/", "9") && !Self.interested(table, "/abc/", "1"))
    table.insert(try watch("/_changes", "all"))
    #expect(Self.found(table, "/abc/", "1") == ["all"])
    #expect(Self.interested(table, "/abc/", "1"))
  }

  @Test("is interested in the documents alone that are watched by themselves")
  func documents() throws {
    var table = WatchTable()
    let watches = try [watch("/a/1", "1"), watch("/a/1", "2"), watch("/a/2", "3")]
    for watch in watches { table.insert(watch) }
    #expect(Self.interested(table, "/a/", "1") && Self.interested(table, "/a/", "2"))
    #expect(!Self.interested(table, "/a/", "3") && !Self.interested(table, "/b/", "1"))
    table.remove(watches[0])
    #expect(Self.interested(table, "/a/", "1") && Self.found(table, "/a/", "1") == ["2"])
    table.remove(watches[1])
    #expect(!Self.interested(table, "/a/", "1") && Self.interested(table, "/a/", "2"))
    table.remove(watches[2])
    #expect(table.isEmpty && !Self.interested(table, "/a/", "2"))
  }

  @Test("keeps each where it was put, whichever of its fellows leave")
  func removal() throws {
    var generator = SeededGenerator.forTest(named: "watch table")
    var table = WatchTable()
    var inside: [Watch] = []
    for step in 0..<2_000 {
      if inside.isEmpty || Bool.random(using: &generator) {
        let path = ["/a/", "/a/1", "/a/?recursive=true", "/_changes", "/a/?where[v]=1"].randomElement(using: &generator)
        let watch = try watch(path ?? "", "\(step)")
        table.insert(watch)
        inside.append(watch)
      } else {
        let index = Int.random(in: 0..<inside.count, using: &generator)
        table.remove(inside.remove(at: index))
      }
      #expect(table.count == inside.count)
      #expect(table.hasConditions == inside.contains { $0.request.filter != nil })
    }
    #expect(Set(table.all.map(\.name)) == Set(inside.map(\.name)))
    #expect(Self.found(table, "/a/", "1") == Set(inside.map(\.name)))
  }
}
