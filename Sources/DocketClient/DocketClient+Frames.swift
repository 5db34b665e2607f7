import DocketTLS
import DocketWire
import NIOCore

extension DocketClient {
  /// Sends a frame as it is, over a connection of its own, and returns the answer as it came.
  ///
  /// The answer ends with its NUL or, in a one-shot session, with the connection. It is never sent twice. Where there is a token,
  /// a request before it brings that, so that the session is a persistent one.
  /// - Parameter frame: without the NUL behind it. It need not be a request, so as to see what the server says then.
  /// - Throws: `DocketClientError`, of which `refused` is about the token; `CancellationError`.
  public func send(_ frame: ByteBuffer) async throws -> ByteBuffer {
    guard !frame.readableBytesView.contains(0) else { throw DocketClientError.invalidFrame }
    let answer = eventLoop.makePromise(of: ByteBuffer.self)
    let (address, limit) = (address, configuration.maximumAnswerBytes)
    let greeting = greeting
    let channel: any Channel
    do {
      channel = try await address.connect(on: eventLoop, configuration) {
        FrameExchangeHandler(
          frame: frame, greeting: greeting, maximumAnswerBytes: limit, address: address, answer: answer)
      }.get()
    } catch {
      let failure = ConnectFailure(error).error(address)
      answer.fail(failure)
      throw failure
    }
    let timer = eventLoop.scheduleTask(in: TimeAmount(configuration.requestTimeout)) {
      answer.fail(DocketClientError.timedOut(requestMayHaveHappened: true))
      channel.close(promise: nil)
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
      try await answer.futureResult.get()
    } onCancel: {
      answer.fail(CancellationError())
      channel.close(promise: nil)
    }
  }
}

extension DocketClient {
  /// The request that brings the token, if there is one: it asks for what everybody may have.
  private var greeting: Request? {
    guard configuration.token != nil else { return nil }
    var headers: Headers? = Headers([("Connection", "keep-alive")])
    var token = TokenDelivery(token: configuration.token)
    token.complete(&headers)
    return Request(method: .get, path: ByteBuffer(staticString: "/_health"), headers: headers)
  }
}

/// Sends one frame when it is there, takes one answer, and closes.
///
/// The promise may be fulfilled from outside as well, by a timer say: what comes first counts.
private final class FrameExchangeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let frame: ByteBuffer
  private let greeting: Request?
  /// Whether the next answer is that to the greeting.
  private var isGreeting: Bool
  private let maximumAnswerBytes: Int
  private let address: ServerAddress
  private let answer: EventLoopPromise<ByteBuffer>
  private var decoder: FrameDecoder

  init(
    frame: ByteBuffer, greeting: Request?, maximumAnswerBytes: Int, address: ServerAddress,
    answer: EventLoopPromise<ByteBuffer>
  ) {
    self.frame = frame
    self.greeting = greeting
    isGreeting = greeting != nil
    self.maximumAnswerBytes = maximumAnswerBytes
    self.address = address
    self.answer = answer
    decoder = FrameDecoder(maximumFrameBytes: maximumAnswerBytes)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if let greeting {
      var buffer = ByteBuffer()
      buffer.writeRequest(greeting)
      context.write(wrapOutboundOut(buffer), promise: nil)
    }
    context.write(wrapOutboundOut(frame), promise: nil)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(integer: UInt8(0))), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data))
    while let event = decoder.next() {
      if isGreeting, case .frame(let frame) = event, !refusesToken(frame) {
        isGreeting = false
        continue
      }
      finish(event)
      return context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    guard decoder.holdsPartOfFrame else {
      return answer.fail(DocketClientError.connectionClosed(requestMayHaveHappened: true))
    }
    decoder.append(ByteBuffer(integer: UInt8(0)))
    if let event = decoder.next() { finish(event) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if TLSFailure.isRefusalOfCertificate(error), !decoder.holdsPartOfFrame {
      answer.fail(DocketClientError.notSecured(address, reason: TLSFailure.reason(error, peer: nil)))
    }
    context.close(promise: nil)
  }

  /// Whether an answer to the greeting says that the token is not taken, which is told then.
  private func refusesToken(_ frame: ByteBuffer) -> Bool {
    guard let greeted = try? Answer.parse(frame), greeted.code == Status.unauthorized.rawValue else { return false }
    answer.fail(DocketClientError.refused(Refusal(greeted)))
    return true
  }

  private func finish(_ event: FrameDecoder.Event) {
    switch event {
    case .frame(let frame):
      if let reason = frame.otherProtocol {
        answer.fail(DocketClientError.badAnswer(reason: reason))
      } else {
        answer.succeed(frame)
      }
    case .tooLong: answer.fail(DocketClientError.badAnswer(reason: "longer than \(maximumAnswerBytes) bytes"))
    }
    decoder.discard()
  }
}
