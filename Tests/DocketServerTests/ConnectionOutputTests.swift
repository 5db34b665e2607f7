import NIOCore
import Testing

@testable import DocketServer

@Suite("What a connection has to send")
struct ConnectionOutputTests {
  @Test("and the kernel does not take keeps no more memory than twice its bytes, though it was the end of much more")
  func memory() throws {
    var output = ConnectionOutput()
    output.buffer = ByteBuffer(repeating: 1, count: 1_000_000)
    // As if the kernel had taken the rest.
    output.buffer.moveReaderIndex(forwardBy: 900_000)
    let left = output.send(100_000, nil)
    let piece = try #require(left)
    #expect(piece.readableBytes == 100_000 && piece.readableBytesView.allSatisfy { $0 == 1 })
    #expect(piece.storageCapacity <= 200_000)
    #expect(output.unsentBytes == 100_000 && output.piecesBehind == 1)
    output.pieceWasSent(bytes: 100_000)
    #expect(output.isDrained)
  }

  @Test("is not copied where it is most of its memory")
  func large() throws {
    var output = ConnectionOutput()
    output.buffer = ByteBuffer(repeating: 1, count: 1 << 20)
    let memory = output.buffer.withUnsafeReadableBytes { $0.baseAddress }
    let left = output.send(1 << 20, nil)
    let piece = try #require(left)
    #expect(piece.withUnsafeReadableBytes { $0.baseAddress } == memory)
  }
}
