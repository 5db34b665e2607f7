import DocketService
import DocketStore
import DocketTestSupport
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import DocketServer

@Suite("The connections of a loop")
struct LoopContextTests {
  /// Each is on a loop that runs when it is told to.
  private struct Clients {
    let eventLoop = EmbeddedEventLoop()
    let context: LoopContext
    let meters: ServerMeters
    /// The number of a client for each time that something was sent to it, and what it was.
    let sent = Sent()

    init(_ store: ServedStore, limits: ServerLimits = ServerLimits()) throws {
      context = try LoopContext(
        eventLoop: eventLoop, number: 0, store: store, limits: limits,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      meters = store.meters
    }

    func connect(_ number: Int) throws -> EmbeddedChannel {
      let admission = Admission(limit: 10_000, meters: meters.connections(protocol: "test"))
      let handlers: [any ChannelHandler] = [
        SentHandler(number, sent), ConnectionHandler(loop: context, admission: admission),
      ]
      let channel = EmbeddedChannel(handlers: handlers, loop: eventLoop)
      channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
      return channel
    }
  }

  final class Sent {
    var texts: [(client: Int, text: String)] = []
    /// How often more of what clients send was asked for.
    var reads = 0
  }

  private final class SentHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private let number: Int
    private let sent: Sent

    init(_ number: Int, _ sent: Sent) {
      self.number = number
      self.sent = sent
    }

    func read(context: ChannelHandlerContext) {
      sent.reads += 1
      context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      sent.texts.append((number, String(buffer: unwrapOutboundIn(data))))
      context.write(data, promise: promise)
    }
  }

  private func withStore(_ body: (ServedStore) throws -> Void) async throws {
    let store = try await ServedStore(InMemoryRepository())
    try body(store)
    await store.close()
    store.repository.close()
  }

  private static func request(_ data: String) -> String {
    #"{"method":"GET","path":"/echo","data":"\#(data)","headers":{"Connection":"keep-alive"}}"# + "\0"
  }

  @Test("One that has sent much takes turns with the others, and with those who come meanwhile")
  func turns() async throws {
    try await withStore { store in
      let clients = try Clients(store)
      let (much, little) = (try clients.connect(1), try clients.connect(2))
      let long = Self.request(String(repeating: "x", count: 1_000))
      try much.writeInbound(ByteBuffer(string: String(repeating: long, count: 180)))
      try little.writeInbound(ByteBuffer(string: Self.request("little")))
      clients.eventLoop.run()
      #expect(clients.sent.texts.map(\.client) == [1, 2])
      // The loop looks at its sockets.
      let late = try clients.connect(3)
      try late.writeInbound(ByteBuffer(string: Self.request("late")))
      clients.eventLoop.advanceTime(by: .microseconds(50))
      #expect(clients.sent.texts.map(\.client) == [1, 2, 1, 3])
      clients.eventLoop.advanceTime(by: .microseconds(50))
      #expect(clients.sent.texts.map(\.client) == [1, 2, 1, 3, 1])
      let answers = clients.sent.texts.filter { $0.client == 1 }.map { $0.text.split(separator: "\0").count }
      #expect(answers.reduce(0, +) == 180 && (answers.max() ?? 0) < 70, "\(answers)")
    }
  }

  @Test("Of many who have sent much some are answered before the sockets are looked at, each in turn")
  func ticks() async throws {
    try await withStore { store in
      let clients = try Clients(store)
      let requests = String(repeating: Self.request(String(repeating: "x", count: 1_000)), count: 55)
      for number in 1...40 { try clients.connect(number).writeInbound(ByteBuffer(string: requests)) }
      var told: [Int] = []
      clients.eventLoop.run()
      for _ in 0..<4 {
        told.append(clients.sent.texts.count)
        clients.eventLoop.advanceTime(by: .microseconds(50))
      }
      // A mebibyte of requests is that of 18 clients.
      #expect(told == [18, 36, 40, 40])
      #expect(clients.sent.texts.map(\.client) == Array(1...40))
      #expect(clients.sent.texts.allSatisfy { $0.text.split(separator: "\0").count == 55 })
    }
  }

  @Test("One that begins many watches takes turns as one does that has sent much")
  func watchTurns() async throws {
    try await withStore { store in
      let clients = try Clients(store)
      let (many, one) = (try clients.connect(1), try clients.connect(2))
      // Refused, since they have no id, so that nothing comes from the feed's thread.
      let watch = #"{"method":"GET","path":"/n/?watch=true","headers":{"Connection":"keep-alive"}}"# + "\0"
      try many.writeInbound(ByteBuffer(string: String(repeating: watch, count: 10)))
      try one.writeInbound(ByteBuffer(string: Self.request("one")))
      clients.eventLoop.run()
      #expect(clients.sent.texts.map(\.client) == [1, 2])
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      let answers = clients.sent.texts.filter { $0.client == 1 }.map { $0.text.split(separator: "\0").count }
      #expect(answers == [4, 4, 2])
      #expect(clients.sent.texts[0].text.contains("watch_needs_id"))
    }
  }

  @Test("No more is read from one whose requests wait, be it for others, or since its answers are many")
  func waitingRequests() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(sendBufferBytes: 100_000))
      let client = try clients.connect(1)
      try client.writeInbound(ByteBuffer(string: Self.request("first")))
      clients.eventLoop.run()
      // Less than one turn takes up, and more answers than may wait.
      let count = 2_000
      let small = #"{"method":"GET","path":"/n/1"}"# + "\0"
      try client.writeInbound(ByteBuffer(string: String(repeating: small, count: count)))
      clients.eventLoop.run()
      func answers() -> Int { clients.sent.texts.reduce(0) { $0 + $1.text.split(separator: "\0").count } }
      #expect(answers() < 1 + count)
      clients.sent.reads = 0
      client.read()
      #expect(clients.sent.reads == 0)
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      #expect(answers() == 1 + count && clients.sent.reads == 1)

      // One that has had no turn yet.
      let requests = String(repeating: Self.request(String(repeating: "x", count: 1_000)), count: 55)
      for number in 2...40 { try clients.connect(number).writeInbound(ByteBuffer(string: requests)) }
      let last = try clients.connect(41)
      try last.writeInbound(ByteBuffer(string: Self.request("last")))
      clients.eventLoop.run()
      clients.sent.reads = 0
      last.read()
      #expect(clients.sent.reads == 0)
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      #expect(clients.sent.reads == 1 && clients.sent.texts.last?.client == 41)
    }
  }

  @Test("One whose frame has come whole is answered, though its deadline is over before its turn")
  func lateTurn() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(frameSeconds: 1))
      let waiting = try clients.connect(0)
      let request = Self.request("whole")
      try waiting.writeInbound(ByteBuffer(string: String(request.prefix(10))))
      clients.eventLoop.advanceTime(by: .microseconds(1_249_990))
      let requests = String(repeating: Self.request(String(repeating: "x", count: 1_000)), count: 55)
      for number in 1...40 { try clients.connect(number).writeInbound(ByteBuffer(string: requests)) }
      try waiting.writeInbound(ByteBuffer(string: String(request.dropFirst(10))))
      clients.eventLoop.run()
      // The sweep, before the tick in which its turn comes.
      clients.eventLoop.advanceTime(by: .microseconds(10))
      #expect(clients.sent.texts.count == 18)
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      let told = clients.sent.texts.filter { $0.client == 0 }.map(\.text)
      #expect(told.count == 1 && told[0].contains(#""data": "whole""#), "\(told)")
    }
  }

  @Test("One whose frame is late is told so when its turn comes, though it sends a byte now and then")
  func lateFrame() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(frameSeconds: 1))
      let waiting = try clients.connect(0)
      try waiting.writeInbound(ByteBuffer(string: "{"))
      clients.eventLoop.advanceTime(by: .microseconds(1_249_990))
      let requests = String(repeating: Self.request(String(repeating: "x", count: 1_000)), count: 55)
      for number in 1...40 { try clients.connect(number).writeInbound(ByteBuffer(string: requests)) }
      try waiting.writeInbound(ByteBuffer(string: " "))
      clients.eventLoop.run()
      clients.eventLoop.advanceTime(by: .microseconds(10))
      #expect(clients.sent.texts.count == 18)
      // Before the next sweep.
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      let told = clients.sent.texts.filter { $0.client == 0 }.map(\.text)
      #expect(told.count == 1 && told[0].hasPrefix(#"{"code": 408, "#), "\(told)")
    }
  }

  @Test("are looked at some at a time when deadlines are due, and all of them")
  func sweeps() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(frameSeconds: 1))
      let channels = try (0..<1_200).map { number in try clients.connect(number) }
      for channel in channels { try channel.writeInbound(ByteBuffer(string: "{")) }
      clients.eventLoop.advanceTime(by: .milliseconds(1_250 - 1))
      #expect(clients.sent.texts.isEmpty)
      var told: [Int] = []
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      for _ in 0..<4 {
        told.append(clients.sent.texts.count)
        clients.eventLoop.advanceTime(by: .microseconds(50))
      }
      let atOnce = LoopContext.connectionsAtOnce
      #expect(told == (1...4).map { $0 * atOnce })
      for _ in 4..<1_200 / atOnce { clients.eventLoop.advanceTime(by: .microseconds(50)) }
      #expect(Set(clients.sent.texts.map(\.client)).count == 1_200)
      #expect(clients.sent.texts.allSatisfy { $0.text.hasPrefix(#"{"code": 408, "#) })
    }
  }

  @Test("are not looked at while they are silent and nothing is due, nor more often when they are served meanwhile")
  func looks() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(idleSeconds: 60))
      let (silent, speaking) = (try clients.connect(1), try clients.connect(2))
      clients.eventLoop.advanceTime(by: .seconds(6))
      let handlers = try [silent, speaking].map {
        try $0.pipeline.syncOperations.handler(type: ConnectionHandler.self)
      }
      var sweeps = [Set<Int?>(), []]
      for _ in 0..<3_000 {
        try speaking.writeInbound(ByteBuffer(string: Self.request("x")))
        clients.eventLoop.advanceTime(by: .milliseconds(10))
        for (number, handler) in handlers.enumerated() { sweeps[number].insert(handler.nextLook) }
        #expect(clients.context.agenda.count <= 2)
      }
      #expect(sweeps.map(\.count) == [7, 7])
    }
  }

  @Test("have one look to come, also when they are served while a sweep has yet to come to them")
  func looksWithinSweep() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(frameSeconds: 1))
      let channels = try (0..<1_000).map { number in try clients.connect(number) }
      let handlers = try channels.map { try $0.pipeline.syncOperations.handler(type: ConnectionHandler.self) }
      for channel in channels { try channel.writeInbound(ByteBuffer(string: "{")) }
      clients.eventLoop.advanceTime(by: .milliseconds(1_250))
      let unswept = zip(channels, handlers).filter(\.1.isUnswept).map(\.0)
      #expect(unswept.count == 1_000 - LoopContext.connectionsAtOnce)
      let before = clients.context.agenda.count
      for channel in unswept { try channel.writeInbound(ByteBuffer(string: " ")) }
      clients.eventLoop.run()
      #expect(clients.context.agenda.count == before)
      clients.eventLoop.advanceTime(by: .milliseconds(1))
      #expect(clients.sent.texts.count == 1_000)
    }
  }

  @Test("leave nothing behind when they come and go one after the other")
  func shortOnes() async throws {
    try await withStore { store in
      let clients = try Clients(store)
      for number in 0..<1_000 {
        let client = try clients.connect(number)
        try client.writeInbound(ByteBuffer(string: "{"))
        clients.eventLoop.run()
        client.close(promise: nil)
        clients.eventLoop.run()
      }
      #expect(clients.context.agenda.count <= 2)
    }
  }

  @Test("owe a token from the sweep on that follows the end of what they were allowed")
  func newStrangers() async throws {
    try await withStore { store in
      let clients = try Clients(store)
      let handler = try clients.connect(1).pipeline.syncOperations.handler(type: ConnectionHandler.self)
      clients.eventLoop.advanceTime(by: .seconds(7))
      #expect(handler.stranger == nil)
      store.gate.update(TokenRoll(changes: 1, tokens: []), wall: Timestamp(milliseconds: 0))
      clients.eventLoop.advanceTime(by: .milliseconds(250))
      #expect(handler.stranger != nil)
    }
  }

  @Test("end when they were silent for as long as they may be, on time")
  func silence() async throws {
    try await withStore { store in
      for seconds in [0.25, 1, 5, 5.25, 7, 11] {
        let clients = try Clients(store, limits: ServerLimits(idleSeconds: seconds))
        let client = try clients.connect(1)
        clients.eventLoop.advanceTime(by: .milliseconds(200))
        try client.writeInbound(ByteBuffer(string: Self.request("x")))
        clients.eventLoop.advanceTime(by: .nanoseconds(Int64(seconds * 1e9) - 1))
        #expect(client.isActive, "\(seconds)")
        clients.eventLoop.advanceTime(by: .milliseconds(251))
        #expect(!client.isActive, "\(seconds)")
      }
    }
  }

  @Test("owe a frame within its time, also when they were silent for long before")
  func frameBehindSilence() async throws {
    try await withStore { store in
      let clients = try Clients(store, limits: ServerLimits(idleSeconds: 300, frameSeconds: 1))
      let client = try clients.connect(1)
      clients.eventLoop.advanceTime(by: .seconds(12))
      try client.writeInbound(ByteBuffer(string: "{"))
      clients.eventLoop.advanceTime(by: .milliseconds(999))
      #expect(clients.sent.texts.isEmpty)
      clients.eventLoop.advanceTime(by: .milliseconds(252))
      #expect(clients.sent.texts.first?.text.hasPrefix(#"{"code": 408, "#) == true)
    }
  }
}
