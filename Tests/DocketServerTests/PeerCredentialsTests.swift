import DocketServer
import Foundation
import NIOCore
import NIOPosix
import Testing

@Suite("A connection's peer")
struct PeerCredentialsTests {
  /// Calls `connect` with a listening channel, and returns what is known of who has connected.
  private func credentials(
    bind: (ServerBootstrap) async throws -> any Channel, connect: (any Channel) async throws -> any Channel
  ) async throws -> PeerCredentials? {
    let group = MultiThreadedEventLoopGroup.singleton
    let found = group.next().makePromise(of: PeerCredentials?.self)
    let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { found.succeed(PeerCredentials(of: channel)) }
    }
    let listener = try await bind(bootstrap)
    let client = try await connect(listener)
    let result = try await found.futureResult.get()
    try await client.close()
    try await listener.close()
    return result
  }

  @Test("is known by user, group and process over a unix socket")
  func unixSocket() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("peer-\(UUID().uuidString.prefix(8))").path
    defer { unlink(path) }
    let found = try await credentials {
      try await $0.bind(unixDomainSocketPath: path).get()
    } connect: { _ in
      try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(unixDomainSocketPath: path).get()
    }
    #expect(found?.user == geteuid() && found?.group == getegid() && found?.process == getpid())
  }

  @Test("is not known over TCP")
  func tcp() async throws {
    let found = try await credentials {
      try await $0.bind(host: "127.0.0.1", port: 0).get()
    } connect: { listener in
      try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: listener.localAddress?.port ?? 0).get()
    }
    #expect(found == nil)
  }
}
