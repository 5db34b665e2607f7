import NIOCore

/// A request's path taken apart: what it names, and the parameters behind the `?`.
public struct Target: Sendable, Equatable {
  public struct Parameter: Sendable, Equatable {
    public let name: String
    public let value: String
  }

  /// How many parameters there may be: four times as many as a query has conditions.
  public static let maximumParameters = 256

  public let resource: Resource
  public private(set) var parameters: [Parameter]

  /// - Parameter path: the path of a request, as UTF-8.
  public init(path: ByteBuffer) throws(PathError) {
    let parsed = path.withUnsafeReadableBytes { bytes in
      Result { () throws(PathError) in try Self.parse(bytes) }
    }
    self = try parsed.get()
  }

  private init(resource: Resource, parameters: [Parameter]) {
    self.resource = resource
    self.parameters = parameters
  }

  /// Takes a parameter away.
  mutating func drop(_ name: String) { parameters.removeAll { $0.name == name } }

  mutating func dropParameters() { parameters = [] }

  private static func parse(_ bytes: UnsafeRawBufferPointer) throws(PathError) -> Target {
    guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else {
      return Target(resource: try PathGrammar.resource(named: bytes), parameters: [])
    }
    let resource = try PathGrammar.resource(named: UnsafeRawBufferPointer(rebasing: bytes[..<mark]))
    let parts = bytes[(mark + 1)...].split(separator: UInt8(ascii: "&"), maxSplits: maximumParameters)
    guard parts.count <= maximumParameters else { throw .tooManyParameters }
    var parameters: [Parameter] = []
    for part in parts {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let value = sides.count == 2 ? try decode(UnsafeRawBufferPointer(rebasing: sides[1])) : ""
      parameters.append(
        Parameter(name: try decode(UnsafeRawBufferPointer(rebasing: sides[0])), value: value))
    }
    return Target(resource: resource, parameters: parameters)
  }

  /// Decodes as HTML forms encode (https://url.spec.whatwg.org/#urlencoded-parsing): `+` is a space.
  private static func decode(_ text: UnsafeRawBufferPointer) throws(PathError) -> String {
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      let (byte, width) = try PathGrammar.decodedByte(text, at: index)
      bytes.append(width == 1 && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      index += width
    }
    guard let string = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
    return string
  }
}
