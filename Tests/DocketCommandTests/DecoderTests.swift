import NIOCore
import Testing

@testable import docket

@Suite("Requests of an import")
struct DecoderTests {
  private let plain = #"{"method": "POST", "path": "/n/", "data": "#

  private func target(idField: String? = nil, maximumDocumentBytes: Int = 1000) throws -> ImportTarget {
    try ImportTarget(collection: "/n/", idField: idField, maximumDocumentBytes: maximumDocumentBytes)
  }

  /// The request that a record comes to, or why there is none.
  private func request(_ record: String, _ decoder: some RecordDecoder) -> String {
    var decoder = decoder
    var request = ByteBuffer()
    let bytes = Array(record.utf8)
    do {
      let result = try bytes.withUnsafeBytes { bytes in
        Result { () throws(BadRecord) in try decoder.write(bytes, to: &request) }
      }.get()
      return result == .request ? String(buffer: request) : "\(result)"
    } catch {
      return "bad: \(error.reason)"
    }
  }

  private func csv(_ header: String, _ row: String, isTyped: Bool = false, idField: String? = nil) throws -> String {
    let bytes = Array(header.utf8)
    let decoder = try bytes.withUnsafeBytes { bytes in
      try CSVDecoder(header: bytes, target: target(idField: idField), isTyped: isTyped)
    }
    let request = request(row, decoder)
    return request.hasPrefix(plain) ? String(request.dropFirst(plain.count).dropLast()) : request
  }

  @Test("a document goes out byte for byte")
  func document() throws {
    let decoder = DocumentDecoder(target: try target())
    #expect(request(#"{"a" : 1.0e5}"#, decoder) == plain + #"{"a" : 1.0e5}}"#)
    #expect(request(#"{"a" : 1"#, decoder) == "bad: the JSON text ends too early at byte 8")
    #expect(request("1 2", decoder).hasPrefix("bad: something behind the end"))
    let deep = String(repeating: "[", count: 126) + String(repeating: "]", count: 126)
    #expect(request(deep, decoder) == "loneRequest")
    #expect(request("[\(deep)", decoder).hasPrefix("bad: the JSON text ends too early"))
    #expect(request("[[[\(deep)]]]", decoder).hasPrefix("bad: arrays and objects nested deeper than 128"))
    #expect(
      request("1234", DocumentDecoder(target: try target(maximumDocumentBytes: 3))).hasPrefix("bad: the document"))
  }

  @Test(
    "strings and integers become ids, written so that the path means them",
    arguments: [
      (#"{"id": "a"}"#, "/n/a"), (#"{"id": 17}"#, "/n/17"), (#"{"id": -3}"#, "/n/-3"),
      (#"{"id": "a%2Fb?c#d"}"#, "/n/a%252Fb%3Fc%23d"), (#"{"id": "ü\"\\"}"#, #"/n/ü\"\\"#),
      (#"{"id": "\u0061"}"#, "/n/a"), (#"{"i\u0064": 1}"#, "/n/1"), (#"{"id": 1, "id": 2}"#, "/n/2"),
      (#"{"x": {"id": 5}, "id" : "..."}"#, "/n/..."),
    ])
  func ids(_ document: String, _ path: String) throws {
    let decoder = DocumentDecoder(target: try target(idField: "id"))
    #expect(request(document, decoder) == #"{"method": "PUT", "path": "\#(path)", "data": \#(document)}"#)
  }

  @Test(
    "what cannot be an id is told",
    arguments: [
      #"{"id": 1.5}"#, #"{"id": 1e3}"#, #"{"id": null}"#, #"{"id": [1]}"#, #"{"id": ""}"#, #"{"id": "a/b"}"#,
      #"{"id": "."}"#, #"{"id": ".."}"#, #"{"id": "a\nb"}"#, #"{"id": "\ud800"}"#, #"{"a": 1}"#, "7", "[1]",
      #"{"id": 1"#, #"{"id": 1} x"#,
    ])
  func badIDs(_ document: String) throws {
    let result = request(document, DocumentDecoder(target: try target(idField: "id")))
    #expect(result.hasPrefix("bad: "), "\(result)")
  }

  @Test("what is no collection is refused", arguments: ["/n", "n/", "/", "/_x/", "/a//", "/n/?x=1/"])
  func collections(_ path: String) {
    #expect(throws: CommandFailure.self) {
      try ImportTarget(collection: path, idField: nil, maximumDocumentBytes: 1)
    }
  }

  @Test("fields of CSV are text")
  func fields() throws {
    #expect(try csv("a,b", "1,true") == #"{"a": "1", "b": "true"}"#)
    #expect(try csv("a,b", ",") == #"{"a": "", "b": ""}"#)
    #expect(try csv("a", "") == #"{"a": ""}"#)
    #expect(try csv("a,\"b \"\"c\"\"\"", "\"x, \"\"y\"\"\nz\",\t\\") == #"{"a": "x, \"y\"\nz", "b \"c\"": "\t\\"}"#)
    #expect(try csv("a,b", "5\" disk,\"\"") == #"{"a": "5\" disk", "b": ""}"#)
    #expect(try csv("id,a", "x/y,1", idField: "id") == "bad: an id cannot hold a slash")
    #expect(try csv("a", "\u{0}") == "{\"a\": \"\\u0000\"}")
  }

  @Test("--typed makes values of what is exactly one, and leaves out what is empty")
  func typed() throws {
    #expect(
      try csv("a,b,c,d", "1,-2.5e3,true,null", isTyped: true) == #"{"a": 1, "b": -2.5e3, "c": true, "d": null}"#)
    #expect(
      try csv("a,b,c,d,e", "007, 1,+1,True,1 ", isTyped: true)
        == #"{"a": "007", "b": " 1", "c": "+1", "d": "True", "e": "1 "}"#)
    #expect(try csv("a,b,c", ",x,\"\"", isTyped: true) == #"{"b": "x"}"#)
    #expect(try csv("a", "", isTyped: true) == "{}")
    #expect(
      try csv("id,a", "42,x", isTyped: true, idField: "id")
        == #"{"method": "PUT", "path": "/n/42", "data": {"id": 42, "a": "x"}}"#)
  }

  @Test("a row that is wrong says why", arguments: ["1", "1,2,3", "\"1,2", "\"1\"x,2", "\"\"\",2"])
  func badRows(_ row: String) throws {
    let result = try csv("a,b", row)
    #expect(result.hasPrefix("bad: "), "\(result)")
  }

  @Test("a first row that names no fields is refused", arguments: ["a,,b", "a,a", ",", "\"a", "id,b\r1,x"])
  func badHeaders(_ header: String) {
    #expect(throws: BadRecord.self) { try csv(header, "1") }
  }

  @Test("text that is not UTF-8 is a bad row")
  func encoding() throws {
    var decoder = try Array("a".utf8).withUnsafeBytes { bytes in
      try CSVDecoder(header: bytes, target: target(), isTyped: false)
    }
    var request = ByteBuffer()
    #expect(throws: BadRecord.self) {
      try [UInt8](arrayLiteral: 0x61, 0xFF).withUnsafeBytes { _ = try decoder.write($0, to: &request) }
    }
  }

  @Test("lines of an export go back to their paths, with what is left of their lifetime")
  func export() {
    let decoder = ExportDecoder(maximumDocumentBytes: 1000, now: { 1_893_456_000.5 })
    #expect(
      request(#"{"path": "/a/1?", "revision": 7, "expires": null, "document": [1 ]}"#, decoder)
        == #"{"method": "PUT", "path": "/a/1?", "headers": {"Expires-In": "never"}, "data": [1 ]}"#)
    #expect(
      request(#"{"path": "/a/1", "text": "{\n\"b\":\r\"\\n\"}"}"#, decoder)
        == "{\"method\": \"PUT\", \"path\": \"/a/1\", \"headers\": {\"Expires-In\": \"never\"}, \"data\": {\n\"b\":\r\"\\n\"}}"
    )
    #expect(
      request(#"{"path": "/a/1", "expires": "2030-01-01T00:01:00.250Z", "document": 1}"#, decoder)
        == #"{"method": "PUT", "path": "/a/1", "headers": {"Expires-In": 60}, "data": 1}"#)
    #expect(request(#"{"path": "/a/1", "expires": "2030-01-01T00:00:00.500Z", "document": 1}"#, decoder) == "expired")
  }

  @Test(
    "what is no line of an export is told",
    arguments: [
      "1", "{}", #"{"path": 1, "document": 1}"#, #"{"path": "/a/1"}"#, #"{"path": "/a/1", "text": 1}"#,
      #"{"path": "/a/1", "document": 1, "text": "1"}"#, #"{"path": "/a/1", "text": "{"}"#,
      #"{"path": "/a/1", "document": {"a" 1}}"#, #"{"path": "/a/1", "expires": 5, "document": 1}"#,
      #"{"path": "/a/1", "expires": "tomorrow", "document": 1}"#, #"{"path": "/a/1", "document": 1"#,
    ])
  func badExports(_ line: String) {
    let result = request(line, ExportDecoder(maximumDocumentBytes: 1000, now: { 0 }))
    #expect(result.hasPrefix("bad: "), "\(result)")
  }
}
