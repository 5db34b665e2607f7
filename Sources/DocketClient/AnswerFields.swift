import DocketJSON
import DocketWire
import NIOCore

/// The members of an object in an answer, by name.
package struct AnswerFields {
  private var values: [String: ByteBuffer] = [:]

  package init(_ object: ByteBuffer) throws(DocketClientError) {
    do {
      try object.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachMember { name, range in values[name] = object.value(at: range) }
      }
    } catch {
      throw .badAnswer(reason: "\(error)")
    }
  }

  /// The JSON text of a member.
  package func value(_ name: String) throws(DocketClientError) -> ByteBuffer {
    guard let value = values[name] else { throw .badAnswer(reason: "no '\(name)' in the answer") }
    return value
  }

  /// Nil for a member that is null or not there.
  func optionalValue(_ name: String) -> ByteBuffer? {
    values[name].flatMap { $0.readableBytesView.elementsEqual("null".utf8) ? nil : $0 }
  }

  package func text(_ name: String) throws(DocketClientError) -> String {
    guard let text = try value(name).withUnsafeReadableBytes({ JSONOutline.text($0) }) else {
      throw .badAnswer(reason: "'\(name)' in the answer is not a string")
    }
    return text
  }

  /// Nil for a member that is null or not there.
  package func optionalText(_ name: String) throws(DocketClientError) -> String? {
    guard optionalValue(name) != nil else { return nil }
    return try text(name)
  }

  func integer(_ name: String) throws(DocketClientError) -> Int64 {
    guard let integer = Int64(String(buffer: try value(name))) else {
      throw .badAnswer(reason: "'\(name)' in the answer is not an integer")
    }
    return integer
  }

  /// Nil for a member that is null or not there.
  func optionalInteger(_ name: String) throws(DocketClientError) -> Int64? {
    guard optionalValue(name) != nil else { return nil }
    return try integer(name)
  }

  package func elements(_ name: String) throws(DocketClientError) -> [ByteBuffer] {
    let array = try value(name)
    var elements: [ByteBuffer] = []
    do {
      try array.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachElement { range in elements.append(array.value(at: range)) }
      }
    } catch {
      throw .badAnswer(reason: "'\(name)' in the answer: \(error)")
    }
    return elements
  }
}

extension ByteBuffer {
  fileprivate func value(at range: Range<Int>) -> ByteBuffer {
    guard let value = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
      preconditionFailure("an outline tells places within its text")
    }
    return value
  }
}
