import DocketService
import DocketWire

/// The connection's part of the room that there is for the answers of all.
extension ConnectionHandler {
  func refuse(_ start: ConnectionState.Start, _ response: Response) {
    loop.count(start.operation.requestKind, response, since: loop.moment, start.request, on: self)
    take(response, to: start.number)
  }

  /// Notes in the room of all answers what of this connection's waits: for its client, or for answers that are due before.
  func noteUnsent() {
    let bytes = if case .closed = phase { 0 } else { output.unsentBytes + state.heldBytes }
    guard bytes != notedBytes else { return }
    loop.store.answers.note(bytes - notedBytes)
    notedBytes = bytes
  }
}
