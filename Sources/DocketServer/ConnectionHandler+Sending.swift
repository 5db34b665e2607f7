import NIOCore

/// What goes to the client: into the kernel at once, and what it does not take by way of NIO.
extension ConnectionHandler {
  /// Holds back what is to be sent, until `release`.
  func hold() { output.hold() }

  /// Sends what was held back first.
  func release() {
    guard case .serving = phase, let context, let count = output.release() else { return }
    send(count, context)
    // What came later, and what is to be done behind it.
    loop.enqueue(self)
  }

  /// Sends the first bytes of the output, and gives its buffer back if nothing is left; what the kernel does not take at
  /// once NIO gets.
  func send(_ count: Int, _ context: ChannelHandlerContext) {
    if let piece = output.send(count, socket) { pass(piece, context) }
    noteDrained()
    output.end(&loop.outputBuffers)
    noteUnsent()
  }

  /// Sends a text behind what there is. It is not copied.
  func send(shared text: ByteBuffer, _ context: ChannelHandlerContext) {
    send(output.buffer.readableBytes, context)
    if let piece = output.send(shared: text, socket) { pass(piece, context) }
    noteUnsent()
  }

  /// Leaves to NIO what the kernel does not take at once.
  private func pass(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
    let bytes = piece.readableBytes
    context.write(wrapOutboundOut(piece)).assumeIsolatedUnsafeUnchecked().whenComplete { [self] _ in
      output.pieceWasSent(bytes: bytes)
      noteUnsent()
      if waitsForRoom { loop.enqueue(self) }
      noteDrained()
      if output.piecesBehind == 0, case .sendingLast = phase, let context = self.context { endAfterLast(context) }
    }
    context.flush()
  }

  /// Tells watches that there is room for more of their frames, if so.
  private func noteDrained() {
    if output.isDrained { watches?.drained() }
  }
}
