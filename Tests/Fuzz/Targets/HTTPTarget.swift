import DocketTestSupport
import DocketWire
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

@testable import DocketHTTP
@testable import DocketService

/// Whatever bytes come: one answer at most to a request, in order and well formed; what is beyond doubt is read as it is
/// written; and nothing that says its length in two ways is taken for a request.
///
/// The server's pipeline as far as it needs no socket: a handler stands in for the connection's task.
///
///     length of a piece 1 | the bytes
final class HTTPTarget: FuzzTarget {
  private let isPlanted: Bool
  private let loop = FuzzLoop()
  private let site: HTTPSite
  private let desk: HTTPDesk

  init(isPlanted: Bool) {
    self.isPlanted = isPlanted
    let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
    let store = Self.wait { try await ServedStore(InMemoryRepository()) }
    let limits = HTTPLimits(headerBytes: 1_024, strangerBodyBytes: 2_048)
    site = HTTPSite(store: store, rules: WebRules(), limits: limits, isSecure: false, logger: logger)
    desk = HTTPDesk(store, on: loop, number: 0, limits: limits, logger: logger)
    do {
      try desk.assumeIsolated { try $0.open() }
    } catch { broken("a desk does not open", "\(error)") }
  }

  private static func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> Value {
    nonisolated(unsafe) var value: Value?
    let done = DispatchSemaphore(value: 0)
    Task {
      value = try? await body()
      done.signal()
    }
    done.wait()
    guard let value else { broken("what is waited for fails") }
    return value
  }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let piece = input.choose(255) + 1
    let stream = Array(input.all())
    let channel = EmbeddedChannel()
    let requestGuard = RequestGuard(site.store.answers)
    let tap = RequestTap(closing: isPlanted ? "DELETE" : nil)
    let task = TaskHandler(site)
    do {
      try setUp(channel, requestGuard, tap, task)
    } catch { broken("a pipeline is not set up", "\(error)") }
    var rest = stream[...]
    while !rest.isEmpty, channel.isActive {
      _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(piece * 4)))
      rest = rest.dropFirst(piece * 4)
      // What the store tells comes by its own threads.
      while requestGuard.unanswered > 0, task.unanswered == 0, channel.isActive { loop.run() }
    }
    var sent: [UInt8] = []
    while let out = try? channel.readOutbound(as: ByteBuffer.self) { sent += out.readableBytesView }
    check(sent, tap, stream)
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }

  private func setUp(
    _ channel: EmbeddedChannel, _ requestGuard: RequestGuard, _ tap: RequestTap, _ task: TaskHandler
  ) throws {
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHTTPCoding(site.limits)
    try pipeline.addHandler(requestGuard)
    try pipeline.addHandler(tap)
    try pipeline.addHandler(Compression(requestGuard))
    try pipeline.addHandler(PlainRequests(site, desk, requestGuard.progress))
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    try pipeline.addHandler(task)
  }

  private func check(_ sent: [UInt8], _ tap: RequestTap, _ stream: [UInt8]) {
    let methods = tap.requests.map(\.method)
    guard let answers = StrictHTTP.answers(in: sent, to: methods) else {
      broken("what is sent is no row of answers", "\(shown(stream))\n\(shown(sent))")
    }
    let taken = answers.filter { $0.code < 300 }
    guard answers.count <= tap.begun + 1, taken.count <= tap.requests.count else {
      broken("a request has two answers", "\(shown(stream))\n\(shown(sent))")
    }
    // What is whole is answered, but behind an answer that ends the connection.
    guard answers.count >= tap.requests.count || answers.last?.endsConnection == true else {
      broken("a request has no answer", "\(shown(stream))\n\(shown(sent))")
    }
    let expected = StrictHTTP.requests(in: stream)
    guard
      expected.elementsEqual(tap.requests.prefix(expected.count))
        || answers.last.map({ $0.code >= 400 && $0.endsConnection }) == true
    else { broken("requests beyond doubt are read otherwise", "\(shown(stream))\n\(expected)\n\(tap.requests)") }
  }
}

/// Notes what stands behind the guard: what is taken for a request.
private final class RequestTap: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private(set) var begun = 0
  private(set) var requests: [StrictHTTP.Request] = []
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  /// The planted fault: such a request is read twice.
  private let doubled: String?

  init(closing method: String?) { doubled = method }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      begun += 1
      self.head = head
      body = []
    case .body(let bytes): body += bytes.readableBytesView
    case .end:
      guard let head else { broken("a request ends that has not begun") }
      check(head)
      let request = StrictHTTP.Request(method: head.method.rawValue, target: head.uri, body: body)
      requests.append(request)
      if request.method == doubled { requests.append(request) }
    }
    context.fireChannelRead(data)
  }

  private func trimmed(_ values: [String]) -> [String] {
    values.map { $0.split { $0 == " " || $0 == "\t" }.joined(separator: " ") }
  }

  /// What could be read in two ways (RFC 9112, section 11.2) is no request.
  private func check(_ head: HTTPRequestHead) {
    // White space behind a value is no part of it (RFC 9112, section 5.1).
    let (lengths, codings) = (trimmed(head.headers["content-length"]), trimmed(head.headers["transfer-encoding"]))
    guard lengths.count <= 1, lengths.isEmpty || codings.isEmpty,
      lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      codings.isEmpty || codings.map { $0.lowercased() } == ["chunked"],
      head.headers["host"].count <= 1
    else { broken("a request is taken that can be read in two ways", "\(head)") }
  }
}

/// Answers as the connection's task does, without one: by the rules and the native request, not by the store.
private final class TaskHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  private let site: HTTPSite
  private var head: HTTPRequest?
  private var body = ByteBuffer()
  private(set) var unanswered = 0

  init(_ site: HTTPSite) { self.site = site }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      unanswered += 1
      self.head = head
      body.clear()
    case .body(var bytes): body.writeBuffer(&bytes)
    case .end:
      guard let head = head.take() else { return }
      answer(head, context)
    }
  }

  private func answer(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
    let outline = RequestOutline(head)
    var answer: HTTPAnswer
    if let problem = site.rules.refusal(outline, isSecure: false) {
      answer = HTTPAnswer(problem)
    } else if head.method == .options {
      answer = site.options(head)
    } else if let page = site.page(head) {
      answer = page
    } else {
      do {
        let request = try DocketWire.Request(head, body: body, depth: 128)
        if case .answer(let response) = site.store.router.operation(for: request) {
          answer = HTTPAnswer(response)
        } else {
          answer = HTTPAnswer(DocketWire.Response(.ok, data: request.data))
        }
      } catch {
        answer = HTTPAnswer(error.response(onPersistentSession: true))
      }
    }
    site.finish(&answer, to: outline)
    var fields = HTTPFields()
    for field in answer.fields.fields {
      if let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
    }
    var bytes = ByteBuffer()
    if case .bytes(let found) = answer.body { bytes = found }
    let mayHaveBody = answer.status.code != 204 && answer.status.code != 304
    if mayHaveBody { fields[.contentLength] = String(bytes.readableBytes) }
    unanswered -= 1
    context.write(wrapOutboundOut(.head(HTTPResponse(status: answer.status, headerFields: fields))), promise: nil)
    if mayHaveBody, head.method != .head { context.write(wrapOutboundOut(.body(bytes)), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }
}
