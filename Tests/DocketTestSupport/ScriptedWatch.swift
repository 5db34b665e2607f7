import DocketWire
import NIOCore

/// A watch as a scripted server tells it.
public final class ScriptedWatch {
  private let connection: ScriptedConnection
  public let request: Request

  /// Takes the next request of a connection, which is to be one for a watch.
  public init(_ connection: ScriptedConnection) throws {
    self.connection = connection
    request = try connection.request()
  }

  public var path: String { String(buffer: request.path) }

  /// What the watch is asked for, besides the heartbeat.
  public var parameters: String {
    let data = request.data.map { String(buffer: $0) } ?? ""
    return String(data.drop { $0 != "," }.dropFirst(2).dropLast())
  }

  /// Sends frames that continue.
  public func tell(_ items: String...) throws {
    for item in items { try connection.send(frame(item) + [0]) }
  }

  /// A frame that continues, without its NUL.
  public func frame(_ item: String) -> [UInt8] { Self.frame(item, id: id) }

  /// Ends the watch, and no more.
  public func end(_ code: Int, _ message: String, _ error: String) throws {
    try connection.send(
      Array(
        #"{"code": \#(code), "message": "\#(message)", "data": {"error": "\#(error)", "detail": "d"}, "id": \#(id)}"#
          .utf8) + [0])
  }

  private var id: String { request.id.map { String(buffer: $0) } ?? "null" }

  public static func frame(_ item: String, id: String = #""watch""#) -> [UInt8] {
    Array(#"{"code": 200, "message": "OK", "data": \#(item), "id": \#(id), "continues": true}"#.utf8)
  }

  /// - Parameter history: for the first frame.
  public static func change(
    _ sequence: Int, _ kind: String = "created", path: String? = nil, document: String? = nil, history: String? = nil
  ) -> String {
    let path = path ?? "/n/\(sequence)"
    let document = document ?? (kind == "deleted" || kind == "expired" ? "null" : #"{"n": \#(sequence)}"#)
    return #"{"sequence": \#(sequence), "change": "\#(kind)", "path": "\#(path)", "#
      + #""revision": \#(sequence), "document": \#(document), "at": "t"\#(Self.member(history))}"#
  }

  public static func snapshot(_ number: Int, history: String? = nil) -> String {
    #"{"sequence": null, "change": "snapshot", "path": "/n/\#(number)", "revision": \#(number), "#
      + #""document": {"n": \#(number)}, "at": "t"\#(Self.member(history))}"#
  }

  /// - Parameter kind: `live` or `heartbeat`.
  public static func mark(_ kind: String, _ sequence: Int, history: String? = nil) -> String {
    #"{"sequence": \#(sequence), "change": "\#(kind)"\#(Self.member(history))}"#
  }

  private static func member(_ history: String?) -> String {
    history.map { ", \"history\": \"\($0)\"" } ?? ""
  }
}
