import DocketServer
import DocketService
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// How a connection is set up and served: TLS, HTTP/1.1, its limits, and one task that answers its requests in their order.
struct HTTPChannel: HTTPChannelHandler {
  let site: HTTPSite
  let tls: ServerTLS?
  let desks: [HTTPDesk]
  let channels: OpenChannels
  let logger: Logger
  private(set) var responder: Responder = { _, _, _ in preconditionFailure("each connection has its own") }

  init(site: HTTPSite, tls: ServerTLS?, desks: [HTTPDesk], logger: Logger) {
    self.site = site
    self.tls = tls
    self.desks = desks
    self.logger = logger
    channels = OpenChannels(
      limit: site.limits.connections, gate: site.store.gate, meters: site.store.meters.connections(protocol: "http"))
  }

  /// A connection, once it is set up.
  struct Value: ServerChildChannelValue {
    let parts: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    let progress: RequestProgress

    var channel: any Channel { parts.channel }
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      try tls?.addHandlers(to: pipeline) { [logger = self.logger] reason in logger.info("\(reason)") }
      let guardian = RequestGuard(site.store.answers)
      let isAdmitted = channels.admit(channel, guardian.progress)
      let deadlines = ConnectionDeadlines(site.limits, site.store.gate, guardian)
      if isAdmitted { try pipeline.addHandler(deadlines) }
      try pipeline.addHTTPCoding(site.limits)
      try pipeline.addHandler(guardian)
      try pipeline.addHandler(Compression(guardian))
      if isAdmitted { try pipeline.addHandler(PlainRequests(site, desk(of: channel), guardian.progress)) }
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: site.isSecure))
      if !isAdmitted { try pipeline.addHandler(HTTPRefusal(limit: channels.limit)) }
      // It ends connections when the server ends; of silence it does not see all that is said.
      try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
      return Value(
        parts: try NIOAsyncChannel(
          wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)),
        progress: guardian.progress)
    }
  }

  func handle(value: Value, logger: Logger) async {
    let desk = desk(of: value.channel)
    await withTaskExecutorPreference(desk.executor) {
      let connection = HTTPConnection(site, desk, value.channel, value.progress)
      var own = self
      own.responder = { request, writer, _ in try await connection.respond(to: request, writer) }
      await own.handleHTTP(asyncChannel: value.parts, logger: logger)
    }
  }

  private func desk(of channel: any Channel) -> HTTPDesk {
    guard let desk = desks.first(where: { $0.eventLoop === channel.eventLoop }) else {
      preconditionFailure("every loop has a desk")
    }
    return desk
  }
}

extension ChannelPipeline.SynchronousOperations {
  /// Adds what makes requests of bytes, within the limits, and bytes of answers.
  func addHTTPCoding(_ limits: HTTPLimits) throws {
    var decoderLimits = NIOHTTPDecoderLimitConfiguration()
    decoderLimits.maxHeaderFieldSize = limits.headerBytes
    decoderLimits.maxHeaderListSize = limits.headerBytes
    try configureHTTPServerPipeline(
      withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoderLimits)
  }
}
