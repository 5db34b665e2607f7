/// Whether two JSON texts are the same value: numbers by their exact decimal value, strings by code units,
/// objects without regard to the order of keys (the last of equal keys counts).
public enum JSONEquality {
  /// - Parameters: two valid JSON texts.
  public static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    fatalError("being written")
  }
}
