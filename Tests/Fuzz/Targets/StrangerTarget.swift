import DocketStore
import DocketWire
import NIOCore

@testable import DocketServer
@testable import DocketService

/// Whatever anybody sends who has shown no token: nothing of it reaches the store, every answer is a refusal or that of
/// `/_health`, or says of `/_access` that there is none, and no more is kept of it than a stranger's frame may have.
///
///     flags 1 | length of a piece 1 | the bytes
final class StrangerTarget: FuzzTarget {
  private static let limits = ServerLimits(strangerFrameBytes: 512)
  private static let keepAlive =
    #"{"method":"GET","path":"/echo","data":0,"headers":{"Connection":"keep-alive"}}"# + "\0"
  private static let noAccess = #""data": {"token": null, "open": false, "allow": []}"#
  private let isPlanted: Bool
  /// Answers that were looked at and are what they may be: most refusals come again and again.
  private var known: Set<[UInt8]> = []
  private static let mostKnown = 4_096

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  /// A gate that is shut, and opens for a token that nobody has.
  private static func shutGate() -> Gate {
    let gate = Gate()
    let (_, id, digest) = TokenText.make()
    let token = AccessToken(
      id: id, name: "somebody", rules: .everything, digest: digest, created: Timestamp(milliseconds: 0), expires: nil,
      revoked: nil)
    gate.update(TokenRoll(changes: 1, tokens: [token]), wall: Timestamp(milliseconds: 0))
    return gate
  }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let flags = input.byte()
    let piece = input.choose(200) + 1
    let stream = Array(input.all())
    // Each begins as nobody's, also as one that has sent no wrong token yet.
    let gate = isPlanted && stream.starts(with: #"{"method":"POST""#.utf8) ? Gate() : Self.shutGate()
    let script = StrangerScript(limits: Self.limits, visitor: Visitor(gate, from: .unknown))
    if flags & 1 == 1 { script.receive(Array(Self.keepAlive.utf8)) }
    var rest = stream[...]
    while !rest.isEmpty, script.goesOn {
      script.receive(Array(rest.prefix(piece)))
      rest = rest.dropFirst(piece)
      // What is kept is told by what has begun: no frame of a stranger's is longer.
      guard script.keptBytes <= Self.limits.strangerFrameBytes + piece else { broken("more is kept than may be") }
    }
    check(script.sent)
  }

  private func check(_ sent: ByteBuffer) {
    let health = "\"data\": " + String(buffer: Response.healthy.data ?? ByteBuffer())
    for frame in Array(sent.readableBytesView).split(separator: 0).map(Array.init) where !known.contains(frame) {
      let text = String(decoding: frame, as: UTF8.self)
      guard ReferenceJSON(frame) != nil else { broken("an answer is no JSON", text) }
      let isKnown = text.hasPrefix("{\"code\": 200, ") && (text.contains(health) || text.contains(Self.noAccess))
      guard isKnown || ["400", "401", "413", "422"].contains(where: { text.hasPrefix("{\"code\": \($0), ") }) else {
        broken("a stranger is told something", text)
      }
      if known.count == Self.mostKnown { known = [] }
      known.insert(frame)
    }
  }
}

/// A connection without a socket, at which the store is not to be asked.
private final class StrangerScript {
  private var state: ConnectionState
  private var after = ConnectionState.AfterOutput.goOn
  private var received = 0
  private(set) var sent = ByteBuffer()

  init(limits: ServerLimits, visitor: Visitor) {
    let wireLimits = WireLimits()
    state = ConnectionState(
      router: Router(limits: wireLimits), visitor: visitor, wireLimits: wireLimits, limits: limits)
  }

  var goesOn: Bool { after == .goOn }

  /// What has come since the last NUL.
  private(set) var keptBytes = 0

  func receive(_ bytes: [UInt8]) {
    state.received(ByteBuffer(bytes: bytes))
    keptBytes = bytes.lastIndex(of: 0).map { bytes.count - $0 - 1 } ?? keptBytes + bytes.count
    while goesOn {
      let step = state.nextStep()
      switch step {
      case .lookUp(let read): broken("a document is looked up", "\(read)")
      case .start(let start): answer(start)
      case nil:
        let before = sent.readableBytes
        after = state.takeOutput(into: &sent) { _, _ in }
        if sent.readableBytes == before { return }
      }
    }
  }

  private func answer(_ start: ConnectionState.Start) {
    switch start.operation {
    case .answer(let response), .answerLater(let response, _):
      state.answer(start.number, with: response, into: &sent) { _, _ in }
    case .reportHealth: state.answer(start.number, with: .healthy, into: &sent) { _, _ in }
    default: broken("a stranger's request is carried out", "\(start.operation)")
    }
    after = state.takeOutput(into: &sent) { _, _ in }
  }
}
