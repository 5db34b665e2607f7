import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("The feed of watches that are up to date")
struct LiveFeedTests {
  /// A history of ten changes that nobody wants, which is read up to the fifth, and then no further.
  private final class BrokenReader: ChangeReader {
    private var turns = 1
    private(set) var readings = 0

    func wait(forChanges: Bool, milliseconds: Int64?) -> Bool {
      defer { turns -= 1 }
      return turns > 0
    }

    func changes(
      _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
    ) -> Result<ChangeProgress, StoreError> {
      readings += 1
      guard readings == 1 else { return .failure(.failed(reason: "broken")) }
      return .success(ChangeProgress(sequence: Revision(5), isAtEnd: false))
    }

    func newest() -> Result<(sequence: Revision, history: String), StoreError> { .success((Revision(10), "one")) }

    func tokens() -> Result<TokenRoll, StoreError> { .failure(.closed) }

    func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
      .failure(.closed)
    }

    func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> {
      .failure(.closed)
    }
  }

  @Test("leaves one that begins to the replays where what it missed cannot be read, behind what it was told")
  func brokenBeginning() throws {
    let hub = WatchHub(InMemoryRepository(), limits: WatchLimits())
    let request = Request(method: .get, path: ByteBuffer(string: "/a/?watch=true"), data: nil)
    guard case .watch(let asked) = Router(limits: WireLimits()).operation(for: request) else {
      Issue.record("that is a watch")
      return
    }
    let outlet = hub.makeOutlet(WatchPort(execute: { _ in }, pause: { _ in }))
    let watch = Watch(asked, id: ByteBuffer(string: "7"), name: "7", position: Revision(3), outlet: outlet)
    hub.live.attach(watch)
    let reader = BrokenReader()
    LiveFeed(hub, reader).run()
    #expect(reader.readings == 2)
    #expect(hub.replays.next() === watch)
    #expect(watch.position == Revision(5) && watch.place == nil)
  }
}
