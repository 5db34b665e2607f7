/// Bounds of the JSON that is taken.
public enum JSONLimits {
  /// How many arrays and objects may be open at once.
  public static let maximumDepth = 128
}
