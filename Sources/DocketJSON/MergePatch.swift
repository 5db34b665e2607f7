/// JSON Merge Patch (RFC 7396) on JSON texts. What the patch does not touch keeps its bytes.
public enum MergePatch {
  /// - Parameters: two valid JSON texts.
  public static func apply(_ patch: UnsafeRawBufferPointer, to target: UnsafeRawBufferPointer) -> [UInt8] {
    fatalError("being written")
  }
}
