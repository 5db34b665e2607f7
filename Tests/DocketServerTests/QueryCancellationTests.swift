import DocketServer
import DocketService
import DocketStore
import Logging
import NIOCore
import NIOPosix
import Testing

@Suite("A query")
struct QueryCancellationTests {
  /// Whether the condition comes true within ten seconds.
  private func comes(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1_000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    return condition()
  }

  @Test("is told when its connection has ended, and only then")
  func endsWithConnection() async throws {
    let repository = SilentRepository()
    let (ready, tellReady) = AsyncStream<ListenAddress>.makeStream()
    let server = DocketServer(
      try await ServedStore(repository), on: MultiThreadedEventLoopGroup.singleton,
      configuration: DocketServer.Configuration(addresses: [.tcp(host: "127.0.0.1", port: 0)]),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { tellReady.yield($0[0]) }
    let serving = Task { try await server.run() }
    defer { serving.cancel() }
    var addresses = ready.makeAsyncIterator()
    guard case .tcp(let host, let port) = await addresses.next() else {
      Issue.record("no address")
      return
    }
    var clients: [any Channel] = []
    for number in 1...2 {
      let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: host, port: port).get()
      try await client.writeAndFlush(ByteBuffer(string: #"{"method":"GET","path":"/n/?sort=a"}"# + "\0"))
      #expect(try await comes { repository.cancellations.count == number })
      clients.append(client)
    }
    let cancellations = repository.cancellations.compactMap { $0 }
    #expect(cancellations.map(\.isCancelled) == [false, false])
    // With a linger of no time the connection is reset.
    let options = try #require(clients[0] as? any SocketOptionProvider)
    try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await clients[0].close()
    #expect(try await comes { cancellations[0].isCancelled })
    #expect(!cancellations[1].isCancelled)
    try await clients[1].close()
  }
}
