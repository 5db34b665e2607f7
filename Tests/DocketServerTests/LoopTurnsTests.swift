import DocketServer
import Foundation
import NIOCore
import NIOPosix
import Testing

@Suite("What is to be done behind a look at the sockets")
struct LoopTurnsTests {
  /// Belongs to the event loop.
  private final class Story: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var bytesSeen = 0
    var told: [Int] = []
    var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      bytesSeen += unwrapInboundIn(data).readableBytes
    }
  }

  @Test("is done when what had been sent has been read, though the loop has much to do besides")
  func looks() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1, metricsDelegate: LoopTurns.shared)
    let loop = group.next()
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let (near, far) = (ends[0], ends[1])
    let story = try await loop.submit { NIOLoopBound(Story(), eventLoop: loop) }.get()
    let channel = try await NIOPipeBootstrap(group: group)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(story.value) }
      }
      .takingOwnershipOfDescriptor(inputOutput: near).get()

    /// Due again by the time that others have had their turn.
    @Sendable func work() {
      guard !story.value.isOver else { return }
      usleep(200)
      loop.scheduleTask(in: .microseconds(50)) { work() }
    }
    let rounds = 20
    let done = loop.makePromise(of: [Int].self)
    @Sendable func round() {
      story.value.told.append(story.value.bytesSeen)
      guard story.value.told.count <= rounds else {
        story.value.isOver = true
        return done.succeed(story.value.told)
      }
      _ = write(far, "x", 1)
      usleep(200)
      LoopTurns.shared.execute(on: loop) { round() }
    }
    loop.execute {
      work()
      round()
    }
    #expect(try await done.futureResult.get() == Array(0...rounds))
    close(far)
    try await channel.closeFuture.get()
    try await group.shutdownGracefully()
  }
}
