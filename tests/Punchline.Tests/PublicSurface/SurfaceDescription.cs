using System.Reflection;
using System.Text;

namespace Punchline.Tests.PublicSurface;

/// <summary>An assembly's public types and members as text: one line each, sorted, as C# would declare them.</summary>
internal static class SurfaceDescription
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(DescribeType(type)).Append('\n');
            foreach (var member in DescribeMembers(type).Order(StringComparer.Ordinal)) text.Append("    ").Append(member).Append('\n');
        }
        return text.ToString();
    }

    private static string DescribeType(Type type)
    {
        var kind = type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            { IsValueType: true } => "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
        List<string> bases = [];
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum)) bases.Add(Name(parent));
        if (!type.IsEnum) bases.AddRange(type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Where(face => face.IsVisible).Select(Name).Order(StringComparer.Ordinal));
        return $"{kind} {type.Namespace}.{Name(type)}{(bases.Count == 0 ? "" : " : " + string.Join(", ", bases))}";
    }

    private static IEnumerable<string> DescribeMembers(Type type)
    {
        if (type.IsEnum)
        {
            foreach (var name in Enum.GetNames(type)) yield return $"{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}";
            yield break;
        }
        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible)) yield return $"{Access(constructor)}{Name(type)}({Parameters(constructor)})";
        foreach (var field in type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily))
            yield return $"{(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{Name(field.FieldType)} {field.Name}{(field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "")}";
        foreach (var property in type.GetProperties(Declared))
        {
            var accessor = property.GetMethod ?? property.SetMethod!;
            if (!IsVisible(accessor)) continue;
            var setter = property.SetMethod is { } set && IsVisible(set) ? IsInit(set) ? " init;" : " set;" : "";
            var required = property.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute)) ? "required " : "";
            yield return $"{Access(accessor)}{Static(accessor)}{required}{Name(property.PropertyType)}{Question(Nullability.Create(property))} {property.Name} {{ get;{setter} }}";
        }
        foreach (var e in type.GetEvents(Declared).Where(e => IsVisible(e.AddMethod!))) yield return $"event {Name(e.EventHandlerType!)} {e.Name}";
        foreach (var method in type.GetMethods(Declared).Where(method => IsVisible(method) && IsWritten(method)))
        {
            var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
            yield return $"{Access(method)}{Static(method)}{Name(method.ReturnType)}{Question(Nullability.Create(method.ReturnParameter))} {method.Name}{generic}({Parameters(method)})";
        }
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    // Accessors stand with their properties; what a record gets from the compiler goes without saying.
    private static bool IsWritten(MethodInfo method) => method switch
    {
        { IsSpecialName: true } => method.Name.StartsWith("op_", StringComparison.Ordinal) && !method.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)),
        { Name: "<Clone>$" or "PrintMembers" } => false,
        _ => !method.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)),
    };

    private static bool IsInit(MethodInfo setter) =>
        setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.CompilerServices.IsExternalInit));

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Static(MethodBase method) => method.IsStatic ? "static " : "";

    private static string Question(NullabilityInfo nullability) =>
        nullability.ReadState == NullabilityState.Nullable && !nullability.Type.IsValueType ? "?" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
    {
        var byReference = parameter.ParameterType.IsByRef;
        var prefix = parameter.IsOut ? "out " : byReference ? parameter.IsIn ? "in " : "ref " : "";
        var type = byReference ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        var optional = parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "default"}" : "";
        return $"{prefix}{Name(type)}{Question(Nullability.Create(parameter))} {parameter.Name}{optional}";
    }));

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        var name = type.Name.Split('`')[0];
        if (type is { IsNested: true, IsGenericParameter: false }) name = $"{Name(type.DeclaringType!)}.{name}";
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
