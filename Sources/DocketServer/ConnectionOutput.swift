import DequeModule
import NIOCore

/// What a connection has to send: it is gathered within a tick and sent at its end, unless it is held back until the writes that
/// it tells of are durable.
struct ConnectionOutput {
  /// Without storage of its own between ticks.
  var buffer = ByteBuffer()
  /// How many pieces the kernel did not take at once, which NIO has.
  private(set) var piecesBehind = 0
  private var bytesBehind = 0
  /// How much of the buffer each tick reaches to that was held back, oldest first.
  private var heldBytes = Deque<Int>()

  var isHeld: Bool { !heldBytes.isEmpty }

  /// Whether all that was to be sent is in the kernel's hands.
  var isDrained: Bool { piecesBehind == 0 && buffer.readableBytes == 0 }

  /// How much the client has yet to take, as far as the kernel does not have it.
  var unsentBytes: Int { buffer.readableBytes + bytesBehind }

  /// Sees to it that there is a buffer to write to.
  mutating func begin(_ buffers: inout OutputBuffers) {
    if buffer.capacity == 0 { buffer = buffers.take() }
  }

  /// Gives the buffer back if nothing is left in it.
  mutating func end(_ buffers: inout OutputBuffers) {
    guard buffer.readableBytes == 0, buffer.capacity > 0 else { return }
    // Nothing else may refer to the memory that is given back.
    var done = ByteBuffer()
    swap(&done, &buffer)
    if piecesBehind == 0 { buffers.giveBack(done) }
  }

  // MARK: What is held back

  /// Holds back what there is, until `release`.
  mutating func hold() { heldBytes.append(buffer.readableBytes) }

  /// How much there is to send of what was held back first; nil where nothing is.
  mutating func release() -> Int? {
    guard let count = heldBytes.popFirst() else { return nil }
    for index in heldBytes.indices { heldBytes[index] -= count }
    return count
  }

  // MARK: Sending

  /// Sends the first bytes through the socket, as far as the kernel takes them and nothing is before them.
  /// - Returns: what NIO is to send, which counts as behind until `pieceWasSent`.
  mutating func send(_ count: Int, _ socket: PlainSocket?) -> ByteBuffer? {
    let later = buffer.readableBytes - count
    if piecesBehind == 0, count > 0 { socket?.send(&buffer, atMost: count) }
    let rest = buffer.readableBytes - later
    guard rest > 0, var piece = buffer.readSlice(length: rest) else { return nil }
    // A slice keeps the memory of all that was before it, of which the room for answers would know nothing.
    if piece.storageCapacity > 2 * rest {
      var copy = ByteBufferAllocator().buffer(capacity: rest)
      copy.writeImmutableBuffer(piece)
      piece = copy
    }
    isBehind(by: piece)
    return piece
  }

  /// The same of a text that others are sent as well.
  mutating func send(shared text: ByteBuffer, _ socket: PlainSocket?) -> ByteBuffer? {
    var text = text
    if piecesBehind == 0 { socket?.send(&text, atMost: text.readableBytes) }
    guard text.readableBytes > 0 else { return nil }
    isBehind(by: text)
    return text
  }

  private mutating func isBehind(by piece: ByteBuffer) {
    piecesBehind += 1
    bytesBehind += piece.readableBytes
  }

  /// - Parameter bytes: of the piece.
  mutating func pieceWasSent(bytes: Int) {
    piecesBehind -= 1
    bytesBehind -= bytes
  }
}
