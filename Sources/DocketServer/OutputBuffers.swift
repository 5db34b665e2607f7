import NIOCore

/// Buffers for answers, which the connections of a loop use in turn: each holds one only from its requests to the end of
/// the tick, so that an idle connection has none, and a busy one does not make one each time.
struct OutputBuffers {
  private var spare: [ByteBuffer] = []
  private var spareBytes = 0

  /// Larger ones are not kept, and in all no more than this.
  private static let keptBytes = 64 << 10
  private static let limitBytes = 1 << 20
  private static let firstBytes = 4 << 10

  /// An empty buffer.
  mutating func take() -> ByteBuffer {
    guard let buffer = spare.popLast() else { return ByteBufferAllocator().buffer(capacity: Self.firstBytes) }
    spareBytes -= buffer.capacity
    return buffer
  }

  /// Gives a buffer back whose bytes are no longer needed.
  mutating func giveBack(_ buffer: consuming ByteBuffer) {
    buffer.clear()
    guard buffer.capacity <= Self.keptBytes, spareBytes + buffer.capacity <= Self.limitBytes else { return }
    spareBytes += buffer.capacity
    spare.append(buffer)
  }
}
