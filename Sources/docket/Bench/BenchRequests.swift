import NIOCore

/// Writes the frames of a workload, one after the other.
struct BenchRequests {
  private let plan: BenchPlan
  private let document: String
  /// Headers of each request that is the only one of its connection; empty where it needs none.
  private let headers: String
  private var chooser: KeyChooser
  private var count = 0

  /// The first frame of a connection, whose answer counts for nothing.
  static func greeting(_ dialect: BenchPlan.Dialect, _ server: BenchServer) -> ByteBuffer {
    switch dialect {
    case .docket:
      ByteBuffer(
        string: #"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"\#(server.authorization)}}"# + "\0")
    case .redis: ByteBuffer(staticString: "*1\r\n$4\r\nPING\r\n")
    }
  }

  /// - Parameter server: whose token goes with each request, where each has a connection of its own.
  init(_ plan: BenchPlan, _ server: BenchServer) {
    self.plan = plan
    headers =
      plan.workload == .oneShot && server.token != nil
      ? #","headers":{\#(server.authorization.dropFirst())}"# : ""
    chooser = KeyChooser(keys: plan.workload == .query ? plan.groups : plan.keys, plan.distribution)
    let frame = #"{"title":"hello","n":42,"text":""}"#
    document =
      plan.documentBytes > frame.utf8.count
      ? Self.filled(frame, plan.documentBytes)
      : "\"" + String(repeating: "x", count: max(plan.documentBytes - 2, 0)) + "\""
  }

  /// The document of a key, and its path.
  func document(_ key: Int) -> (path: String, data: ByteBuffer) {
    (plan.collection + Self.id(key), ByteBuffer(string: plan.workload == .query ? grouped(key) : document))
  }

  /// A document that a query finds by its group; at least as long as this takes.
  private func grouped(_ key: Int) -> String {
    Self.filled(#"{"title":"hello","n":42,"group":\#(key % plan.groups),"text":""}"#, plan.documentBytes)
  }

  /// A document that says when it was sent; at least as long as this takes.
  private func timed(_ nanoseconds: UInt64) -> String {
    Self.filled(#"{"title":"hello",\#(Self.sentMember)\#(nanoseconds),"text":""}"#, plan.documentBytes)
  }

  private static let sentMember = #""sent":"#

  /// When the document in a frame was sent; nil where there is none.
  static func sent(in frame: ByteBuffer) -> UInt64? {
    frame.withUnsafeReadableBytes { bytes in
      let length = sentMember.utf8.count
      guard let place = bytes.indices.dropLast(length).first(where: { bytes[$0...].starts(with: sentMember.utf8) })
      else { return nil }
      return bytes[(place + length)...].prefix { 0x30...0x39 ~= $0 }.reduce(0) { $0 &* 10 &+ UInt64($1 &- 0x30) }
    }
  }

  /// - Parameter frame: ends with an empty text, which takes up what is left of the size.
  private static func filled(_ frame: String, _ bytes: Int) -> String {
    frame.dropLast(2) + String(repeating: "x", count: max(bytes - frame.utf8.count, 0)) + "\"}"
  }

  private static func id(_ key: Int) -> String {
    let digits = String(key)
    return String(repeating: "0", count: max(10 - digits.utf8.count, 0)) + digits
  }

  /// - Parameter start: the time from which the request counts, in nanoseconds.
  mutating func writeNext(into buffer: inout ByteBuffer, at start: UInt64) {
    count += 1
    switch plan.workload {
    case .get, .oneShot: write("GET", chooser.next(), nil, into: &buffer)
    case .put: write("PUT", chooser.next(), document, into: &buffer)
    case .delete: write("DELETE", count - 1, nil, into: &buffer)
    case .mixed where count % 10 == 0: write("PUT", chooser.next(), document, into: &buffer)
    case .mixed: write("GET", chooser.next(), nil, into: &buffer)
    case .post:
      buffer.writeString(#"{"method":"POST","path":"\#(plan.collection)","data":\#(document)}"# + "\0")
    case .list:
      buffer.writeString(#"{"method":"GET","path":"\#(plan.collection)?limit=100"}"# + "\0")
    case .query:
      let query = "where[group]=\(chooser.next())&limit=\(BenchPlan.documentsOfGroup)"
      buffer.writeString(#"{"method":"GET","path":"\#(plan.collection)?\#(query)"}"# + "\0")
    case .watch: write("PUT", chooser.next(), timed(start), into: &buffer)
    }
  }

  private func write(_ method: StaticString, _ key: Int, _ document: String?, into buffer: inout ByteBuffer) {
    if plan.dialect == .redis { return writeCommand(key, document, into: &buffer) }
    buffer.writeStaticString("{\"method\":\"")
    buffer.writeStaticString(method)
    buffer.writeStaticString("\",\"path\":\"")
    buffer.writeString(plan.collection)
    buffer.writeString(Self.id(key))
    buffer.writeStaticString("\"")
    if !headers.isEmpty { buffer.writeString(headers) }
    if let document {
      buffer.writeStaticString(",\"data\":")
      buffer.writeString(document)
      buffer.writeStaticString("}\0")
    } else {
      buffer.writeStaticString("}\0")
    }
  }

  /// SET with a document, GET without one.
  private func writeCommand(_ key: Int, _ document: String?, into buffer: inout ByteBuffer) {
    buffer.writeStaticString(document == nil ? "*2\r\n$3\r\nGET\r\n$10\r\n" : "*3\r\n$3\r\nSET\r\n$10\r\n")
    buffer.writeString(Self.id(key))
    buffer.writeStaticString("\r\n")
    guard let document else { return }
    buffer.writeString("$\(document.utf8.count)\r\n")
    buffer.writeString(document)
    buffer.writeStaticString("\r\n")
  }
}
