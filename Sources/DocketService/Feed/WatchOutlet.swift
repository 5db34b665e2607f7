import NIOConcurrencyHelpers
import Synchronization

/// Where the frames of one connection's watches go, and how many of its bytes are on their way: from the feeds, through the
/// event loop, to the kernel.
///
/// `@unchecked Sendable`: `receiver` belongs to the event loop, `tail` to the live feed.
final class WatchOutlet: @unchecked Sendable {
  let port: WatchPort
  private let room: WatchRoom
  private let limitBytes: Int
  private let waitingBytes = Atomic(0)
  /// Watches that go on when the connection has taken what is on its way.
  private let parked = NIOLockedValueBox<[Watch]>([])
  private let hasParked = Atomic(false)

  /// Takes the frames; nil once the connection has ended.
  weak var receiver: ConnectionWatches?
  /// Of the frames that the live feed is putting together: the last one for this connection.
  var tail: Int32 = -1

  init(port: WatchPort, room: WatchRoom, limitBytes: Int) {
    self.port = port
    self.room = room
    self.limitBytes = limitBytes
  }

  /// So much may wait on a connection however full the common room is: those who keep up are not to pay for those who do not.
  private static let ownBytes = 16 << 10

  /// How much may be read for it at once.
  var pageBytes: Int { room.isFull ? Self.ownBytes : Self.longestPageBytes }

  private static let longestPageBytes = 64 << 10

  /// Whether no further frames are to be made for it.
  var isFull: Bool {
    let waiting = waitingBytes.load(ordering: .relaxed)
    return waiting > limitBytes || (waiting > min(Self.ownBytes, limitBytes) && room.isFull)
  }

  func add(_ bytes: Int) {
    waitingBytes.add(bytes, ordering: .sequentiallyConsistent)
    room.add(bytes)
  }

  /// What was added is not sent after all.
  func takeBack(_ bytes: Int) {
    waitingBytes.subtract(bytes, ordering: .sequentiallyConsistent)
    room.add(-bytes)
  }

  /// Has a watch go on behind what is on its way. It may be already.
  func park(_ watch: Watch) {
    parked.withLockedValue { $0.append(watch) }
    hasParked.store(true, ordering: .sequentiallyConsistent)
    // Whoever comes later of this and `drained`, each of which looks at the other's mark, goes on.
    if waitingBytes.load(ordering: .sequentiallyConsistent) == 0 { goOn() }
  }

  /// Forgets a watch that has ended, if it is parked.
  func forget(_ watch: Watch) {
    guard hasParked.load(ordering: .sequentiallyConsistent) else { return }
    parked.withLockedValue { $0.removeAll { $0 === watch } }
  }

  /// Of what was handed over, so much is in the kernel, or nowhere, if the connection has ended.
  func drained(_ bytes: Int) {
    guard bytes > 0 else { return }
    takeBack(bytes)
    if hasParked.load(ordering: .sequentiallyConsistent), waitingBytes.load(ordering: .sequentiallyConsistent) == 0 {
      goOn()
    }
  }

  private func goOn() {
    hasParked.store(false, ordering: .sequentiallyConsistent)
    let watches = parked.withLockedValue { parked in
      defer { parked = [] }
      return parked
    }
    if !watches.isEmpty { room.resume(watches) }
  }
}
