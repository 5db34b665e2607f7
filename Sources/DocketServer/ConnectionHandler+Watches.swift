import DocketService
import DocketWire
import NIOCore

/// The watches of a connection, whose frames come between its answers.
extension ConnectionHandler {
  func beginWatch(_ request: WatchRequest, _ start: ConnectionState.Start) {
    let number = start.number
    takenBytes += Self.bytesOfWatch
    loop.tally.addInTick(.watch, .ok)
    guard !loop.isFinishing else { return take(.watchClosing, to: number) }
    guard let watches = ownWatches() else { return take(.watchNeedsSession, to: number) }
    // A refusal tells the newest revision.
    hasRead = true
    if let refusal = watches.open(request, id: start.id, newest: loop.service.session.newestRevision) {
      take(refusal, to: number)
    } else {
      state.answerElsewhere(number)
      state.watchDidBegin()
    }
    if inputHasEnded { probe() }
  }

  func endWatch(named name: String, _ number: Int) {
    loop.tally.addInTick(.watch, .ok)
    take(watches?.end(named: name) ?? .noWatch(name), to: number)
    watchDidEnd()
  }

  private func ownWatches() -> ConnectionWatches? {
    if watches == nil {
      watches = loop.service.watchHub.map { ConnectionWatches(hub: $0, port: loop.watchPort, sink: self) }
      context?.channel.boundKernelBuffer()
    }
    return watches
  }
}

extension ConnectionHandler: WatchSink {
  /// Sends at once, outside of any tick: what goes to thousands of connections needs memory for one at a time.
  func sendFrames(_ write: (inout ByteBuffer) -> Void) {
    guard case .serving = phase, let context else {
      var nowhere = ByteBuffer()
      return write(&nowhere)
    }
    output.begin(&loop.outputBuffers)
    write(&output.buffer)
    guard !output.isHeld, afterOutput == .goOn, !isQueued else { return loop.enqueue(self) }
    send(output.buffer.readableBytes, context)
  }

  func sendShared(_ text: ByteBuffer) {
    guard case .serving = phase, let context, !output.isHeld, afterOutput == .goOn, !isQueued else {
      return sendFrames { $0.writeImmutableBuffer(text) }
    }
    send(shared: text, context)
  }

  /// Finds out whether a client that sends no more still reads: where it does not, its machine answers this with a reset. It is
  /// white space before the next frame.
  func probe() {
    sendFrames { $0.writeStaticString(" ") }
  }

  func watchDidEnd() {
    if watches?.isEmpty != false { state.watchesDidEnd() }
    // From now on it may be silent for as long as any other.
    deadlines.noteActivity(at: loop.sweeps)
    loop.enqueue(self)
  }
}
