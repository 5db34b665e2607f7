import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketClient

@Suite("The state of a watch")
struct WatchStateTests {
  private static let address = ServerAddress.tcp(host: "h", port: 1)

  /// A state whose connection stands, and what it asks for.
  private func opened(
    _ options: WatchOptions = WatchOptions(), _ scope: WatchScope = .collection("/n/")
  ) throws -> WatchState {
    var state = WatchState(try WatchTarget(scope, options), options, address: Self.address)
    #expect(state.begin() == [.connect(failures: 0)])
    _ = state.connected()
    return state
  }

  /// What the state asks for over its next connection.
  private func asked(_ state: inout WatchState) throws -> String {
    guard case .ask(let request)? = state.connected().first else { throw Missing() }
    return String(buffer: request.data ?? ByteBuffer())
  }

  private struct Missing: Error {}

  /// What a frame tells, in short.
  private func tell(_ state: inout WatchState, _ item: String) -> [String] {
    state.received(ByteBuffer(bytes: ScriptedWatch.frame(item))).map(Self.short)
  }

  private static func short(_ action: WatchState.Action) -> String {
    switch action {
    case .deliver(.change(let change)): "\(change.sequence.map(String.init) ?? "-") \(change.kind) \(change.path)"
    case .deliver(.live(let mark)): "live \(mark.sequence) \(mark.history)"
    case .deliver(.heartbeat(let mark)): "heartbeat \(mark.sequence)"
    case .deliver(.reset): "reset"
    case .deliver(.interrupted(let error)): "interrupted: \(error)"
    case .connect(let failures): "connect \(failures)"
    case .ask: "ask"
    case .closeConnection: "close"
    case .end(let error): "end: \(error)"
    }
  }

  private static func refusal(_ code: Int, _ error: String, id: String = #", "id": "watch""#) -> ByteBuffer {
    ByteBuffer(string: #"{"code": \#(code), "message": "M", "data": {"error": "\#(error)", "detail": "d"}\#(id)}"#)
  }

  @Test("asks for what is watched, on a persistent session, with an id")
  func request() throws {
    let scopes: [(WatchScope, String)] = [
      (.document("/n/1"), "/n/1?watch=true"), (.collection("/n/"), "/n/?watch=true"),
      (.collection("/n/", isRecursive: true), "/n/?watch=true&recursive=true"), (.database, "/_changes?watch=true"),
    ]
    for (scope, path) in scopes {
      let options = WatchOptions(where: .field("a", .equals(1)), heartbeatSeconds: 7)
      var state = WatchState(try WatchTarget(scope, options), options, address: Self.address)
      _ = state.begin()
      guard case .ask(let request)? = state.connected().first else { throw Missing() }
      #expect(request.method == .get && String(buffer: request.path) == path)
      #expect(request.id != nil && request.headers?.list("Connection", contains: "keep-alive") == true)
      #expect(request.data.map { String(buffer: $0) } == #"{"heartbeat": 7, "where": {"a": {"$eq": 1}}}"#)
    }
  }

  @Test("a condition that cannot be sent is refused unsent")
  func invalidCondition() {
    #expect(throws: DocketClientError.invalidNumber) {
      try WatchTarget(.database, WatchOptions(where: .field("n", .equals(.number(.nan)))))
    }
    #expect(throws: DocketClientError.self) {
      try WatchTarget(.database, WatchOptions(where: .json(ByteBuffer(string: "{"))))
    }
  }

  @Test("an event has what the server told")
  func event() throws {
    var state = try opened()
    let item =
      #"{"sequence": 19, "change": "updated", "path": "/n/1", "revision": 19, "document": null, "#
      + #""at": "2030-01-31T12:00:00.000Z", "batch": 18, "history": "h"}"#
    let actions = state.received(ByteBuffer(bytes: ScriptedWatch.frame(item)))
    guard case .deliver(.change(let change))? = actions.first, actions.count == 1 else { throw Missing() }
    #expect(change.sequence == 19 && change.kind == .updated && change.path == "/n/1" && change.revision == 19)
    #expect(change.document == ByteBuffer(string: "null"), "a document may be null")
    #expect(change.time == "2030-01-31T12:00:00.000Z" && change.batch == 18 && change.history == "h")
    #expect(change.json == ByteBuffer(string: item))
  }

  @Test(
    "every kind of change is told, and of what has gone no document",
    arguments: [
      WatchChange.Kind.created, .updated, .deleted, .expired, .left,
    ])
  func kinds(_ kind: WatchChange.Kind) throws {
    var state = try opened()
    let item = ScriptedWatch.change(5, kind.rawValue, history: "h")
    guard case .deliver(.change(let change))? = state.received(ByteBuffer(bytes: ScriptedWatch.frame(item))).first
    else { throw Missing() }
    #expect(change.kind == kind)
    #expect((change.document == nil) == (kind == .deleted || kind == .expired))
  }

  @Test(
    "goes on behind the last thing told, be it a change, a heartbeat or the live mark, in the first frame's history")
  func resumption() throws {
    for (item, sequence) in [
      (ScriptedWatch.change(18), 18), (ScriptedWatch.mark("heartbeat", 20), 20), (ScriptedWatch.mark("live", 21), 21),
    ] {
      var state = try opened()
      _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h1"))
      _ = tell(&state, item)
      #expect(state.disconnected(rest: ByteBuffer()).map(Self.short) == ["connect 1"])
      #expect(try asked(&state) == #"{"heartbeat": 15, "since": \#(sequence), "history": "h1"}"#)
    }
  }

  @Test("asks again for what it was given, where no frame came")
  func repetition() throws {
    for (start, rest) in [
      (WatchStart.now, ""), (.since(5), #", "since": 5"#),
      (.since(5, history: "h\""), #", "since": 5, "history": "h\"""#), (.snapshot, #", "snapshot": true"#),
    ] {
      var state = try opened(WatchOptions(from: start))
      #expect(state.disconnected(rest: ByteBuffer()).map(Self.short) == ["connect 1"])
      #expect(state.connectFailed(ConnectFailure(reason: "r")).map(Self.short) == ["connect 2"])
      #expect(try asked(&state) == #"{"heartbeat": 15\#(rest)}"#)
    }
  }

  @Test("tells no change twice, whatever the server sends")
  func duplicates() throws {
    var state = try opened(WatchOptions(from: .since(17)))
    #expect(tell(&state, ScriptedWatch.change(17, history: "h")) == [])
    #expect(tell(&state, ScriptedWatch.change(18)) == ["18 created /n/18"])
    #expect(tell(&state, ScriptedWatch.change(18)) == [])
    #expect(tell(&state, ScriptedWatch.mark("heartbeat", 20)) == [])
    #expect(tell(&state, ScriptedWatch.change(20)) == [])
    // A mark that lies behind does not move it back.
    #expect(tell(&state, ScriptedWatch.mark("live", 19)) == ["live 19 h"])
    #expect(tell(&state, ScriptedWatch.change(20)) == [])
    #expect(tell(&state, ScriptedWatch.change(21)) == ["21 created /n/21"])
  }

  @Test("tells that it is live once, and heartbeats where they are asked for")
  func marks() throws {
    var state = try opened(WatchOptions(tellsHeartbeats: true))
    #expect(tell(&state, ScriptedWatch.mark("live", 17, history: "h")) == ["live 17 h"])
    #expect(tell(&state, ScriptedWatch.mark("heartbeat", 18)) == ["heartbeat 18"])
    _ = state.disconnected(rest: ByteBuffer())
    _ = state.connected()
    #expect(tell(&state, ScriptedWatch.mark("live", 18, history: "h")) == [])
  }

  @Test("tells interruptions where they are asked for, once for a connection, and then that it is live again")
  func interruptions() throws {
    var state = try opened(WatchOptions(tellsInterruptions: true))
    #expect(state.disconnected(rest: ByteBuffer()).map(Self.short) == ["connect 1"])
    _ = state.connected()
    _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h"))
    #expect(
      state.disconnected(rest: ByteBuffer()).map(Self.short)
        == ["interrupted: the connection was lost: the server closed it", "connect 1"])
    #expect(state.connectFailed(ConnectFailure(reason: "r")).map(Self.short) == ["connect 1"])
    #expect(state.connectFailed(ConnectFailure(reason: "r")).map(Self.short) == ["connect 2"])
    _ = state.connected()
    #expect(tell(&state, ScriptedWatch.mark("live", 17, history: "h")) == ["live 17 h"])
  }

  @Test("a snapshot that was cut off begins anew, and what was told of it is to be forgotten")
  func snapshotCut() throws {
    var state = try opened(WatchOptions(from: .snapshot))
    #expect(tell(&state, ScriptedWatch.snapshot(1, history: "h")) == ["- snapshot /n/1"])
    // Not a place from which a snapshot could go on.
    #expect(tell(&state, ScriptedWatch.mark("heartbeat", 40)) == [])
    #expect(state.disconnected(rest: ByteBuffer()).map(Self.short) == ["connect 1"])
    #expect(try asked(&state) == #"{"heartbeat": 15, "snapshot": true}"#)
    #expect(tell(&state, ScriptedWatch.snapshot(1, history: "h")) == ["reset", "- snapshot /n/1"])
    #expect(tell(&state, ScriptedWatch.mark("live", 30)) == ["live 30 h"])
    #expect(tell(&state, ScriptedWatch.change(31)) == ["31 created /n/31"])
    _ = state.disconnected(rest: ByteBuffer())
    #expect(try asked(&state) == #"{"heartbeat": 15, "since": 31, "history": "h"}"#)
  }

  @Test("a snapshot of which nothing was told begins anew without a word")
  func snapshotCutAtOnce() throws {
    var state = try opened(WatchOptions(from: .snapshot))
    #expect(tell(&state, ScriptedWatch.mark("heartbeat", 40, history: "h")) == [])
    _ = state.disconnected(rest: ByteBuffer())
    _ = state.connected()
    #expect(tell(&state, ScriptedWatch.snapshot(1, history: "h")) == ["- snapshot /n/1"])
  }

  @Test(
    "where a watch that began with a snapshot cannot go on, another snapshot follows",
    arguments: [(410, "history_gone"), (409, "other_history"), (409, "ahead")])
  func snapshotAgain(code: Int, error: String) throws {
    var state = try opened(WatchOptions(from: .snapshot))
    _ = tell(&state, ScriptedWatch.snapshot(1, history: "h"))
    _ = tell(&state, ScriptedWatch.mark("live", 30))
    _ = state.disconnected(rest: ByteBuffer())
    _ = state.connected()
    #expect(state.received(Self.refusal(code, error)).map(Self.short) == ["close", "connect 1"])
    #expect(try asked(&state) == #"{"heartbeat": 15, "snapshot": true}"#)
    #expect(tell(&state, ScriptedWatch.mark("live", 3, history: "h2")) == ["reset", "live 3 h2"])
    #expect(tell(&state, ScriptedWatch.change(4)) == ["4 created /n/4"])
    // In the middle of a watch as well.
    #expect(state.received(Self.refusal(code, error)).map(Self.short) == ["close", "connect 1"])
    #expect(try asked(&state) == #"{"heartbeat": 15, "snapshot": true}"#)
  }

  @Test(
    "other refusals end it",
    arguments: [
      (400, "invalid_query"), (404, "unknown_resource"), (409, "other_history"), (409, "ahead"), (410, "history_gone"),
      (409, "watch_id_in_use"), (500, "store_failed"),
    ])
  func refusals(code: Int, error: String) throws {
    for isBegun in [false, true] {
      var state = try opened(WatchOptions(from: .since(17)))
      if isBegun { _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h")) }
      let actions = state.received(Self.refusal(code, error))
      guard case .end(.refused(let refusal))? = actions.last, actions.first == .closeConnection else { throw Missing() }
      #expect(refusal.code == code && refusal.error == error && refusal.detail == "d")
      #expect(state.received(Self.refusal(code, error)) == [] && state.begin() == [])
    }
  }

  @Test("a server that has no room now, or ends, is asked again, less and less often")
  func refusedForNow() throws {
    var state = try opened()
    #expect(state.received(Self.refusal(503, "too_many_watches")).map(Self.short) == ["close", "connect 1"])
    _ = state.connected()
    // Of a session that is refused before its request is read.
    #expect(
      state.disconnected(rest: Self.refusal(503, "too_many_connections", id: "")).map(Self.short).last == "connect 2")
    _ = state.connected()
    _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h"))
    #expect(state.received(Self.refusal(503, "closing")).map(Self.short) == ["close", "connect 1"])
  }

  @Test("gives up after so many attempts in a row, with the reason of the last")
  func attempts() throws {
    var state = try opened(WatchOptions(maximumAttempts: 2))
    _ = state.disconnected(rest: ByteBuffer())
    #expect(
      state.connectFailed(ConnectFailure(reason: "r")) == [.end(.connectionFailed(Self.address, reason: "r"))])

    state = try opened(WatchOptions(maximumAttempts: 2, maximumFirstAttempts: 1))
    #expect(state.disconnected(rest: ByteBuffer()) == [.end(.watchInterrupted(reason: "the server closed it"))])

    state = try opened(WatchOptions(maximumAttempts: 2, maximumFirstAttempts: 1))
    for _ in 0..<3 {
      _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h"))
      #expect(state.wasSilent(for: .seconds(45)).map(Self.short) == ["close", "connect 1"])
      #expect(state.connectFailed(ConnectFailure(reason: "r")).map(Self.short) == ["connect 1"])
      _ = state.connected()
    }
    let refusal = Refusal(try Answer.parse(Self.refusal(503, "closing")))
    // The one in the loop has failed to connect, and this is the second.
    #expect(state.received(Self.refusal(503, "closing")).last == .end(.refused(refusal)))
  }

  @Test(
    "what is no frame of the watch ends it",
    arguments: [
      "", "[]", #"{"code": 200, "message": "OK", "data": 1, "id": "watch"}"#,
      #"{"code": 200, "message": "OK", "data": {"change": "live", "sequence": 1, "history": "h"}, "continues": true}"#,
      #"{"code": 200, "message": "OK", "data": {"change": "live", "sequence": 1, "history": "h"}, "id": 7, "continues": true}"#,
      #"{"code": 404, "message": "Not Found", "data": null, "id": 7}"#,
      #"{"code": 200, "message": "OK", "data": {"change": "live", "sequence": 1}, "id": "watch", "continues": true}"#,
      #"{"code": 200, "message": "OK", "data": {"change": "eaten", "history": "h"}, "id": "watch", "continues": true}"#,
      #"{"code": 200, "message": "OK", "data": {"change": "live", "history": "h"}, "id": "watch", "continues": true}"#,
    ])
  func garbage(_ frame: String) throws {
    var state = try opened()
    let actions = state.received(ByteBuffer(string: frame))
    guard case .end(.badAnswer)? = actions.last, actions.first == .closeConnection else { throw Missing() }
  }

  @Test("a frame that was cut is told once, whole or not")
  func cutFrame() throws {
    var state = try opened()
    _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h"))
    let frame = ScriptedWatch.frame(ScriptedWatch.change(18))
    for length in 0...frame.count {
      #expect(state.disconnected(rest: ByteBuffer(bytes: frame[..<length])).map(Self.short) == ["connect 1"])
      #expect(try asked(&state) == #"{"heartbeat": 15, "since": 17, "history": "h"}"#)
      _ = tell(&state, ScriptedWatch.mark("live", 17, history: "h"))
    }
  }

  @Test("a closed watch does nothing more")
  func closing() throws {
    var state = try opened()
    #expect(state.close() == [.closeConnection])
    #expect(state.close() == [] && state.begin() == [])
    #expect(tell(&state, ScriptedWatch.mark("live", 17, history: "h")) == [])
    #expect(state.disconnected(rest: ByteBuffer()) == [] && state.wasSilent(for: .seconds(1)) == [])

    let options = WatchOptions()
    state = WatchState(try WatchTarget(.database, options), options, address: Self.address)
    _ = state.begin()
    #expect(state.close() == [])
    #expect(state.connected() == [.closeConnection], "the connection was on its way")
  }
}
