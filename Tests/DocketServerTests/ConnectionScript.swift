import DocketService
import DocketWire
import NIOCore

@testable import DocketServer

/// A connection without a socket: bytes go in, and what would be sent comes out.
final class ConnectionScript {
  static let keepAlive = #"{"method":"GET","path":"/echo","data":0,"headers":{"Connection":"keep-alive"}}"# + "\0"

  static func get(_ path: String, _ more: String = "") -> String {
    "{\"method\":\"GET\",\"path\":\"\(path)\"\(more)}\0"
  }

  static func put(_ path: String, data: String = "1") -> String {
    "{\"method\":\"PUT\",\"path\":\"\(path)\",\"data\":\(data)}\0"
  }

  var state: ConnectionState
  /// What waits for the store, in the order in which it was started.
  private(set) var started: [ConnectionState.Start] = []
  private(set) var sent = ByteBuffer()
  private(set) var after = ConnectionState.AfterOutput.goOn

  /// How many reads were asked for with no more ado.
  private(set) var lookUps = 0

  init(limits: ServerLimits = ServerLimits(), documentBytes: Int = 1 << 20, visitor: Visitor = Visitor()) {
    let wireLimits = WireLimits(documentBytes: documentBytes)
    state = ConnectionState(
      router: Router(limits: wireLimits), visitor: visitor, wireLimits: wireLimits, limits: limits)
  }

  func receive(_ text: String) { receive(Array(text.utf8)) }

  func receive(_ bytes: some Collection<UInt8>) {
    state.received(ByteBuffer(bytes: bytes))
    run()
  }

  /// Starts what may start; what needs no store is answered at once.
  func run() {
    while after == .goOn {
      switch state.nextStep() {
      case .lookUp(let read):
        lookUps += 1
        if let start = state.take(read) { begin(start) }
      case .start(let start): begin(start)
      case nil:
        if collect() { continue } else { return }
      }
    }
  }

  private func begin(_ start: ConnectionState.Start) {
    if case .answer(let response) = start.operation {
      state.answer(start.number, with: response, into: &sent) { _, _ in }
    } else {
      started.append(start)
    }
    _ = collect()
  }

  func answer(_ index: Int, _ status: Status = .ok, _ data: String = "null") {
    answer(index, with: Response(status, data: ByteBuffer(string: data)))
  }

  func answer(_ index: Int, with response: Response) {
    state.answer(started[index].number, with: response, into: &sent) { _, _ in }
    run()
  }

  func answerElsewhere(_ index: Int) {
    state.answerElsewhere(started[index].number)
    run()
  }

  private func collect() -> Bool {
    guard after == .goOn else { return false }
    let before = sent.readableBytes
    after = state.takeOutput(into: &sent) { _, _ in }
    return sent.readableBytes > before
  }

  var expectsClient: Bool { state.expectsClient }
  var wantsInput: Bool { state.wantsInput }
  var isReceivingFrame: Bool { state.isReceivingFrame }

  var text: String { String(buffer: sent) }

  /// The codes of what was sent, in order.
  var codes: [Int] { text.split(separator: "{\"code\": ").compactMap { Int($0.prefix(3)) } }
}
