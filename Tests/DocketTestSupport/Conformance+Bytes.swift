import DocketStore
import NIOCore

extension RepositoryConformance {
  /// JSON texts that a store which parses and prints them would change.
  static let delicateTexts: [String] = [
    "null", "true", "0", "-0", "1.0", "1.50", "1E400", "1e-400", "123456789012345678901234567890",
    "0.1000000000000000055511151231257827021181583404541015625", "\"\"", "\"\\u0000\"", "\"a\\u0000b\"",
    "\"\\ud83d\\ude00\"", "\"\u{1F600}\"", "\"\\ud800\"", "\"caf\u{E9}\"", "\"cafe\u{301}\"", "\"\\/\"", "\"/\"",
    "[]", "[ ]", "{}", "{ }", " 1 ", "\n[1,\t2 , 3]\r\n", "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}",
    "{\"caf\u{E9}\":1,\"cafe\u{301}\":2}", "{\"\":{\"\":[]}}", "\"'; DROP TABLE documents; --\"", "\"\u{FFFF}\"",
    "\"\u{10FFFF}\"", "\"\u{7F}\u{85}\u{2028}\"", "\"\u{FEFF}\"",
  ]

  static let byteChecks: [Check] = [
    Check("a document comes back byte for byte, from a read and from a scan") { repository in
      let driver = try SessionDriver(repository)
      let collection = CollectionPath(unchecked: "/bytes/")
      let texts = delicateTexts + [nested(depth: 128), "\"" + String(repeating: "x", count: 1_048_574) + "\""]
      var expected: [DocumentPath: ByteBuffer] = [:]
      for (index, text) in texts.enumerated() {
        let path = DocumentPath(collection: collection, id: "put\(index)")
        expected[path] = ByteBuffer(string: text)
        _ = try await driver.write(.put(path, data: ByteBuffer(string: text)))
        _ = try await driver.write(.put(DocumentPath("/bytes/", "replaced\(index)"), data: ByteBuffer(string: "0")))
        _ = try await driver.write(.put(DocumentPath("/bytes/", "replaced\(index)"), data: ByteBuffer(string: text)))
        expected[DocumentPath("/bytes/", "replaced\(index)")] = ByteBuffer(string: text)
        let created = try await driver.write(.create(in: collection, data: ByteBuffer(string: text)))
        if let path = created.path { expected[path] = ByteBuffer(string: text) }
      }
      try expectEqual(expected.count, texts.count * 3)
      for (path, data) in expected {
        try expect(try await driver.document(at: path)?.data == data, "\(path) came back changed")
      }
      let scanned = try await driver.page(collection)
      try expectEqual(scanned.count, expected.count)
      for document in scanned {
        try expect(expected[document.path] == document.data, "\(document.path) came back changed from a scan")
      }
    },
    Check("only the readable part of a buffer is the document") { repository in
      let driver = try SessionDriver(repository)
      var received = ByteBuffer(string: "{\"method\":\"PUT\",\"data\":[1,2]}")
      received.moveReaderIndex(forwardBy: 23)
      let slice = received.getSlice(at: received.readerIndex, length: 5) ?? ByteBuffer()
      _ = try await driver.write(.put(DocumentPath("/bytes/", "slice"), data: slice))
      try expectEqual(
        try await driver.document(at: DocumentPath("/bytes/", "slice"))?.data, ByteBuffer(string: "[1,2]"))
    },
    Check("ids and collections compare as bytes") { repository in
      let driver = try SessionDriver(repository)
      let paths = [
        DocumentPath("/k/", "caf\u{E9}"), DocumentPath("/k/", "cafe\u{301}"), DocumentPath("/k/", "a"),
        DocumentPath("/k/", "A"), DocumentPath("/k/", "a "), DocumentPath("/k/", " a"), DocumentPath("/k/", "\u{FF21}"),
        DocumentPath("/K/", "a"), DocumentPath("/caf\u{E9}/", "a"), DocumentPath("/cafe\u{301}/", "a"),
        DocumentPath("/k/a/", "a"), DocumentPath("/k/", "%"), DocumentPath("/k/", "_"), DocumentPath("/k/", "1"),
        DocumentPath("/k/", "01"), DocumentPath("/k/", "1.0"), DocumentPath("/k/", "'\"`[]"),
        DocumentPath("/k/", String(repeating: "i", count: 1_000)), DocumentPath("/k/", "\u{1F600}"),
      ]
      for (index, path) in paths.enumerated() {
        let outcome = try await driver.write(.put(path, data: ByteBuffer(string: "\(index)")))
        guard case .created(let stored, _) = outcome, stored == path else {
          throw Failure(description: "\(path) was taken for another document: \(outcome)")
        }
      }
      for (index, path) in paths.enumerated() {
        let document = try await driver.document(at: path)
        try expectEqual(document?.data, ByteBuffer(string: "\(index)"), path.description)
        try expectEqual(document?.path, path)
      }
    },
  ]

  /// An array in an array, so many deep.
  static func nested(depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }
}
